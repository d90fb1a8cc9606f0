from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from proxying import BACKEND_KEY, KEY, backend, chat, deployment

from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.routes import find_route
from tollgate.proxy.upstream_requests import (
    Plan,
    Prompt,
    find_alias,
    read_prompt,
    refuse_stored_state,
    upstream_request,
)

DATED = "/openai/deployments/mini/chat/completions"
V1 = "/openai/v1/chat/completions"
MINI = Target(backend(url="https://weu-1.example/openai/"), deployment(name="mini"))


def plan(
    body: bytes, path: str = V1, query: str = "api-version=2024-10-21", headers: Headers = ()
) -> Plan:
    route = find_route("POST", path)
    return Plan(route=route, query=query, headers=headers, prompt=read_prompt(body))


def sent(body: bytes = b"{}", path: str = DATED, **options: Any) -> UpstreamRequest:
    return upstream_request(plan(body, path, **options), MINI, {"api-key": BACKEND_KEY})


def refusal(body: bytes | None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        refuse_stored_state(read_prompt(body))
    return refused.value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b'"x"',
        b"null",
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":1',
        b'{"a":1}x',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(body: bytes) -> None:
    assert (refusal(body).status, refusal(body).code) == (400, "invalid_json")


def test_a_body_that_was_too_long_is_refused() -> None:
    assert refusal(None).status == 413


@pytest.mark.parametrize("second", [b'"model"', b'"mod\\u0065l"'])
def test_a_member_that_stands_twice_is_refused(second: bytes) -> None:
    refused = refusal(b'{"model":"a","x":{"y":1,"y":2},' + second + b':"b"}')
    assert (refused.status, refused.param) == (400, "model")


STORED: list[dict[str, Any]] = [
    {"previous_response_id": "resp_1"},
    {"conversation": {"id": "conv_1"}},
    {"background": True},
    {"input": [{"role": "user", "content": "Hi"}, {"type": "item_reference", "id": "msg_1"}]},
    {"input": [{"id": "msg_1"}]},
    {"input": [{"type": "item_reference", "id": "msg_1", "role": "user"}]},
    {"input": [{"type": None, "id": "msg_1", "role": "user"}]},
    {"input": [{"id": "msg_1", "content": None}]},
    {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]},
    {"input": [{"id": "msg_1", "type": None}]},
    {"input": [{"id": "rs_1", "type": "reasoning"}]},
    {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
    {"messages": [{"content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
    {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
    {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]},
    {"tools": [{"type": "code_interpreter", "container": {"file_ids": ["file-1"]}}]},
    {"prompt": {"id": "pmpt_1"}},
]


@pytest.mark.parametrize("members", STORED)
def test_stored_state_is_refused(members: dict[str, Any]) -> None:
    refused = refusal(msgspec.json.encode(members))
    assert (refused.status, refused.code) == (400, "stored_state_not_served")


NOT_STORED: list[dict[str, Any]] = [
    {"previous_response_id": None, "background": False},
    {"input": "Hi"},
    {"input": [{"role": "user", "content": "Hi"}, "Hi", 1]},
    {"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}]},
    {"input": [{"type": "message", "id": "msg_1", "role": "assistant", "content": "Hi"}]},
    {"input": [{"type": "function_call", "id": "fc_1", "call_id": "c_1", "name": "f"}]},
    {"input": [[1, 2], [3]]},
    {"prompt": "file_id", "messages": [{"content": "container"}]},
    {"tools": [{"type": "function", "parameters": {"properties": {"file_id": {"type": "x"}}}}]},
    {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    {"input": [{"type": "message", "id": "msg_1", "status": "completed", "content": "Hi"}]},
]


@pytest.mark.parametrize("members", NOT_STORED)
def test_a_request_without_stored_state_is_served(members: dict[str, Any]) -> None:
    refuse_stored_state(read_prompt(msgspec.json.encode(members)))


@pytest.mark.parametrize(
    ("stream", "streamed"), [(True, True), (False, False), ("true", False), (1, False)]
)
def test_only_true_asks_for_a_stream(stream: object, streamed: bool) -> None:  # noqa: FBT001  a case
    assert read_prompt(chat(stream=stream)).streamed is streamed


def test_the_deployment_is_named_by_the_path_or_else_by_the_model() -> None:
    prompt = read_prompt(chat(model="gpt-4o"))
    assert find_alias(find_route("POST", DATED), prompt) == "mini"
    assert find_alias(find_route("POST", V1), prompt) == "gpt-4o"


@pytest.mark.parametrize("model", [None, "", 1, ["mini"]])
def test_without_a_name_of_a_deployment_the_request_is_refused(model: object) -> None:
    with pytest.raises(Refusal) as refused:
        find_alias(find_route("POST", V1), read_prompt(chat(model=model)))
    assert (refused.value.status, refused.value.param) == (400, "model")


def test_the_url_is_the_backends_with_the_clients_query() -> None:
    url = "https://weu-1.example/openai/deployments/mini/chat/completions"
    assert sent().url == f"{url}?api-version=2024-10-21"
    assert sent(query="").url == url


def test_only_listed_headers_pass() -> None:
    own = (("api-key", KEY), ("authorization", f"Bearer {KEY}"), ("cookie", "a=b"))
    odd = (("x-tollgate-user", "a"), ("host", "x"), ("accept-encoding", "gzip"), ("te", "x"))
    kept = (("traceparent", "00-1"), ("user-agent", "openai"), ("x-ms-client-request-id", "7"))
    assert sent(headers=(*own, *odd, *kept)).headers == {
        **dict(kept),
        "content-type": "application/json",
        "accept-encoding": "identity",
        "api-key": BACKEND_KEY,
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (DATED, b'{ "messages": [], "model": "other", "seed": 1.10 }'),
        (V1, b'{ "model" : "mini" }'),
        (DATED, chat(stream=True, stream_options={"include_usage": True})),
        ("/openai/v1/responses", b'{"model": "mini", "stream": true}'),
        ("/openai/v1/embeddings", b'{"model": "mini", "stream": true}'),
    ],
)
def test_the_clients_bytes_stay_when_nothing_changes(path: str, body: bytes) -> None:
    assert sent(body, path).body == body


def test_the_model_becomes_the_deployments_name_there() -> None:
    body = b'{"seed": 123456789012345678901234567890, "model": "gpt-4o-mini", "top_p": 0.10}'
    assert sent(body, V1).body == (
        b'{"seed":123456789012345678901234567890,"model":"mini","top_p":0.10}'
    )


@pytest.mark.parametrize("path", [DATED, DATED.replace("chat/", ""), V1, "/v1/completions"])
@pytest.mark.parametrize(
    ("asked", "merged"),
    [
        ({}, {"include_usage": True}),
        ({"stream_options": None}, {"include_usage": True}),
        ({"stream_options": {"include_usage": False}}, {"include_usage": True}),
        ({"stream_options": {"include_usage": None}}, {"include_usage": True}),
        (
            {"stream_options": {"include_obfuscation": False}},
            {"include_obfuscation": False, "include_usage": True},
        ),
    ],
)
def test_usage_is_asked_for_where_the_client_did_not(
    path: str, asked: dict[str, Any], merged: dict[str, Any]
) -> None:
    body = chat(model="mini", stream=True, **asked)
    assert plan(body, path).injects_usage
    assert json.loads(sent(body, path).body)["stream_options"] == merged


@pytest.mark.parametrize(
    "options", ["usage", 1, True, [], {"include_usage": "yes"}, {"include_usage": 0}]
)
def test_odd_stream_options_are_left_to_the_region(options: object) -> None:
    body = chat(stream=True, stream_options=options)
    assert not plan(body, DATED).injects_usage
    assert sent(body).body == body


@pytest.mark.parametrize(
    ("query", "knows"),
    [
        ("api-version=2024-02-01", False),
        ("api-version=2024-08-01-preview", False),
        ("api-version=2024-09-01-preview", True),
        ("a=b&Api%2DVersion=2024%2D10%2D21", True),
        ("api-version=2024-10-21&api-version=2023-05-15", False),
        ("api-version=%ff", False),
        ("", False),
    ],
)
def test_usage_is_asked_for_where_the_dated_api_knows_it(
    query: str,
    knows: bool,  # noqa: FBT001  a case
) -> None:
    assert plan(chat(stream=True), DATED, query).injects_usage is knows
    assert plan(chat(stream=True), V1, query).injects_usage


def test_characters_are_those_of_the_prompt() -> None:
    assert read_prompt(chat()).characters == 12


def test_a_deeply_nested_prompt_has_at_most_its_own_length() -> None:
    content: object = "Hi"
    for _ in range(800):
        content = [content]
    raw = b"{}" * 50
    assert Prompt(raw, {"messages": content}).characters == len(raw)

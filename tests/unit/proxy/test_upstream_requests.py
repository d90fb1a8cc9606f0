from __future__ import annotations

import json
from typing import Any

import pytest
from proxying import BACKEND_KEY, KEY, backend, chat, deployment, route

from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.prompts import read_prompt
from tollgate.proxy.routes import StoredRoute
from tollgate.proxy.upstream_requests import (
    Plan,
    forwarded_headers,
    plan_of,
    stored_request,
    upstream_request,
)

DATED = "/openai/deployments/mini/chat/completions"
V1 = "/openai/v1/chat/completions"
MINI = Target(backend(url="https://weu-1.example/openai/"), deployment(name="mini"))


def plan(
    body: bytes, path: str = V1, query: str = "api-version=2024-10-21", headers: Headers = ()
) -> Plan:
    found = route(path)
    prompt = read_prompt(found, None, body)
    return plan_of(found, "mini", prompt, query=query, headers=forwarded_headers(headers))


def sent(body: bytes = b"{}", path: str = DATED, **options: Any) -> UpstreamRequest:
    return upstream_request(plan(body, path, **options), MINI, {"api-key": BACKEND_KEY})


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
        ("Api-Version=2024-10-21", True),
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


@pytest.mark.parametrize(
    ("action", "surface", "method", "path"),
    [
        ("retrieve", "v1", "GET", "/v1/responses/resp%2F1"),
        ("delete", "v1", "DELETE", "/v1/responses/resp%2F1"),
        ("cancel", "dated", "POST", "/responses/resp%2F1/cancel"),
        ("input_items", "dated", "GET", "/responses/resp%2F1/input_items"),
    ],
)
def test_a_stored_response_is_asked_for_where_it_lies(
    action: Any, surface: Any, method: str, path: str
) -> None:
    asked = StoredRoute(response_id="resp/1", action=action, surface=surface)
    made = stored_request(asked, "https://weu-1.example/openai/", "limit=2", {"api-key": "k"})
    assert (made.method, made.url) == (method, f"https://weu-1.example/openai{path}?limit=2")
    assert made.headers == {"api-key": "k", "accept-encoding": "identity"}

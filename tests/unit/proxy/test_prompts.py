from __future__ import annotations

from typing import Any

import msgspec
import pytest
from proxying import chat, route

from tollgate.proxy.messages import JSON_TYPE
from tollgate.proxy.prompts import Prompt, find_alias, read_prompt
from tollgate.proxy.refusals import Refusal

DATED = route("/openai/deployments/mini/chat/completions")
V1 = route("/openai/v1/chat/completions")
EDITS = route("/openai/v1/images/edits")
FORM_TYPE = "multipart/form-data; boundary=b"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-image-1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n--b--\r\n'
)


def prompt(body: bytes) -> Prompt:
    return read_prompt(V1, JSON_TYPE, body)


def refusal(body: bytes | None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        read_prompt(V1, None, body)
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


@pytest.mark.parametrize(
    ("stream", "streamed"), [(True, True), (False, False), ("true", False), (1, False)]
)
def test_only_true_asks_for_a_stream(stream: object, streamed: bool) -> None:  # noqa: FBT001  a case
    assert prompt(chat(stream=stream)).streamed is streamed


@pytest.mark.parametrize(("form", "streamed"), [("sse", True), ("audio", False)])
def test_speech_is_streamed_by_its_stream_format(form: str, streamed: bool) -> None:  # noqa: FBT001  a case
    assert prompt(chat(stream_format=form)).streamed is streamed


def test_the_deployment_is_named_by_the_path_or_else_by_the_model() -> None:
    named = prompt(chat(model="gpt-4o"))
    assert find_alias(DATED, named) == "mini"
    assert find_alias(V1, named) == "gpt-4o"


@pytest.mark.parametrize("model", [None, "", 1, ["mini"]])
def test_without_a_name_of_a_deployment_the_request_is_refused(model: object) -> None:
    with pytest.raises(Refusal) as refused:
        find_alias(V1, prompt(chat(model=model)))
    assert (refused.value.status, refused.value.param) == (400, "model")


class Searched(bytes):
    """A body that knows how often it was searched from end to end."""

    searches = 0

    def count(self, *what: Any) -> int:
        self.searches += 1
        return super().count(*what)


def test_a_body_of_many_members_is_not_searched_for_each_of_them() -> None:
    names = [f"member-{number}" for number in range(1000)]
    body = Searched(msgspec.json.encode(dict.fromkeys(names, 0)))
    assert list(prompt(body).members) == names
    assert body.searches <= 64


def test_a_member_that_stands_twice_among_many_is_refused() -> None:
    names = [f'"member-{number}":0' for number in range(1000)]
    with pytest.raises(Refusal) as refused:
        prompt(f"{{{','.join([*names, names[7]])}}}".encode())
    assert (refused.value.code, refused.value.param) == ("repeated_member", "member-7")


def test_tokens_are_those_of_the_prompt() -> None:
    assert prompt(chat()).tokens() == 3
    assert prompt(chat()).tokens(len) == 12


def test_members_that_change_leave_the_bytes_of_the_others() -> None:
    changed = prompt(b'{"seed": 1.10, "model": "a"}').with_members({"model": "b"})
    assert changed == b'{"seed":1.10,"model":"b"}'


def test_a_form_is_read_where_the_route_takes_one() -> None:
    form = read_prompt(EDITS, FORM_TYPE, FORM)
    assert (find_alias(EDITS, form), form.streamed) == ("gpt-image-1", True)
    assert form.content_type == FORM_TYPE
    assert form.with_members({"model": "here"}) == FORM.replace(b"gpt-image-1", b"here")


def test_a_form_is_no_body_of_a_chat() -> None:
    with pytest.raises(Refusal) as refused:
        read_prompt(V1, FORM_TYPE, FORM)
    assert refused.value.code == "invalid_json"

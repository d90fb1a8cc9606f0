import json

import pytest

from tollgate.local.simulator.bodies import ChatBody, CompletionBody, decode_body
from tollgate.local.simulator.refusals import Refusal
from tollgate.local.simulator.routes import Operation


def test_unknown_members_are_let_through() -> None:
    body = decode_body("chat.completions", b'{"messages":[{"role":"user","content":"x"}],"q":1}')
    assert isinstance(body, ChatBody)
    assert body.messages[0].content == "x"


def test_prompts_may_be_tokens() -> None:
    body = decode_body("completions", b'{"prompt":[1,2,3]}')
    assert isinstance(body, CompletionBody)
    assert body.prompt == [1, 2, 3]


@pytest.mark.parametrize(
    ("operation", "content", "says"),
    [
        ("chat.completions", b"{}", "missing required field `messages`"),
        ("chat.completions", b'{"messages":[]}', "length >= 1"),
        ("chat.completions", b'{"messages":[{}],"n":0}', "$.n"),
        ("embeddings", b'{"input":7}', "$.input"),
        ("responses", b"{", "could not parse"),
        ("responses", b'{"input":"\xff"}', "could not parse"),
    ],
)
def test_invalid_body_is_refused_with_a_reason(
    operation: Operation, content: bytes, says: str
) -> None:
    with pytest.raises(Refusal) as refused:
        decode_body(operation, content)
    assert refused.value.status == 400
    assert says in json.loads(refused.value.body)["error"]["message"]


def test_reading_operations_have_no_body() -> None:
    assert decode_body("models", b"") is None

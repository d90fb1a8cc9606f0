from __future__ import annotations

import msgspec
import pytest
from proxying import chat, completion, route, target

from tollgate.proxy.deliveries import WholeDelivery
from tollgate.proxy.metering import Outcome
from tollgate.proxy.prompts import read_prompt
from tollgate.proxy.whole_answers import outcome_of
from tollgate.usage.tokens import NO_TOKENS, Tokens

CHAT = route("/v1/chat/completions")
FILTERED = b'{"error":{"code":"content_filter","message":"no"}}'


def outcome(body: bytes, status: int = 200) -> Outcome:
    delivery = WholeDelivery(
        asked=target(), target=target(), attempts=2, status=status, headers=(), body=body
    )
    return outcome_of(delivery, CHAT.api, read_prompt(CHAT, None, chat()))


def test_usage_in_the_answer_is_measured() -> None:
    found = outcome(completion(id="chatcmpl-1", service_tier="priority"))
    assert (found.provenance, found.tokens) == ("measured", Tokens(input=10, output=5))
    assert found.measurement.model == "gpt-4o-mini-2024-07-18"
    assert (found.status, found.attempts, found.target) == (200, 2, target())


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"usage":null}', b"[]"])
def test_an_answer_without_usage_is_unknown_and_never_zero(body: bytes) -> None:
    assert (outcome(body).provenance, outcome(body).tokens) == ("unknown", None)


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_response_that_still_runs_is_pending(status: str) -> None:
    found = outcome(msgspec.json.encode({"status": status, "usage": None}))
    assert (found.provenance, found.tokens) == ("pending", None)


@pytest.mark.parametrize(
    "body",
    [
        FILTERED,
        b'{"error":{"code":"content_filter","innererror":"odd"}}',
        b'{"error":{"code":null,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}',
        b'{"error":{"inner_error":{"code":"ResponsibleAIPolicyViolation"}}}',
        b'{"error":{"innererror":{"code":1},"inner_error":{"code":"ResponsibleAIPolicyViolation"}}}',
    ],
)
def test_a_blocked_prompt_is_billed_so_it_is_estimated(body: bytes) -> None:
    found = outcome(body, 400)
    assert found.provenance == "estimated"
    assert found.tokens == Tokens(input=3, output=0, cached_input=None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"error":{"code":"context_length_exceeded"}}', 400),
        (b'{"error":{"code":null}}', 400),
        (b'{"error":"no"}', 400),
        (b'{"error":null}', 400),
        (b"<html>", 400),
        (b"\xff", 400),
        (FILTERED, 404),
        (completion(), 422),
    ],
)
def test_any_other_error_used_nothing(body: bytes, status: int) -> None:
    assert (outcome(body, status).provenance, outcome(body, status).tokens) == ("none", NO_TOKENS)

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from builders import event
from proxying import DONE, HELLO, USAGE, chat, route, sse, stream, target

from tollgate.proxy.deliveries import StreamDelivery
from tollgate.proxy.frames import FrameSource
from tollgate.proxy.metering import Outcome
from tollgate.proxy.opening import Opening
from tollgate.proxy.prompts import read_prompt
from tollgate.proxy.stream_accounts import CallAccount, ReadingAccount
from tollgate.proxy.stream_flow import StreamFlow
from tollgate.proxy.upstream_requests import Plan, plan_of
from tollgate.usage.event import UsageEvent
from tollgate.usage.extraction import Measurement, StreamMeter
from tollgate.usage.sse import SseReader
from tollgate.usage.tokens import NO_TOKENS, Tokens

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
COUNTED = {"input_tokens": 10, "output_tokens": 5}


def plan(path: str = CHAT, **members: Any) -> Plan:
    found = route(path)
    prompt = read_prompt(found, None, chat(stream=True, model="mini", **members))
    return plan_of(found, "mini", prompt, query="", headers={})


def delivery(api: str) -> StreamDelivery:
    frames = FrameSource(stream())
    opening = Opening(frames, StreamMeter(api))
    return StreamDelivery(
        asked=target(),
        target=target(),
        attempts=1,
        status=200,
        headers=(),
        opening=opening,
        frames=frames,
    )


class Told:
    """What an account is shown, and what it has to say."""

    def __init__(self, made: Plan) -> None:
        self.remembered: list[tuple[str, UsageEvent | None]] = []
        self.flow = StreamFlow(delivery(made.route.api))

        def remember(response_id: str, pending: UsageEvent | None) -> None:
            self.remembered.append((response_id, pending))

        self.account = CallAccount(made, remember)

    def show(self, *steps: bytes) -> Outcome:
        for frame in SseReader().feed(b"".join(steps)):
            self.account.saw(self.flow.meter, frame, self.flow.meter.see(frame))
        return self.account.outcome(self.flow)


def created(status: str = "queued", **members: Any) -> bytes:
    response = {"id": "resp_1", "status": status, **members}
    return sse({"type": "response.created", "response": response})


def test_usage_that_we_asked_for_is_injected_and_hidden() -> None:
    told = Told(plan())
    outcome = told.show(HELLO, USAGE, DONE)
    assert (outcome.provenance, outcome.tokens) == ("injected", Tokens(input=10, output=5))
    assert told.account.hides_usage


def test_usage_that_the_client_asked_for_is_measured_and_shown() -> None:
    told = Told(plan(stream_options={"include_usage": True}))
    assert told.show(HELLO, USAGE, DONE).provenance == "measured"
    assert not told.account.hides_usage


def test_a_stream_without_usage_is_estimated_by_its_text() -> None:
    outcome = Told(plan()).show(HELLO, DONE)
    assert outcome.provenance == "estimated"
    assert outcome.tokens
    assert (outcome.tokens.input, outcome.tokens.output) == (3, 2)


def test_what_is_not_billed_by_its_text_is_unknown_rather_than_guessed() -> None:
    told = Told(plan("/v1/images/generations", prompt="a cat"))
    assert (told.show(DONE).provenance, told.show(DONE).tokens) == ("unknown", None)


def test_a_stored_response_is_remembered_once_and_as_soon_as_its_id_is_known() -> None:
    told = Told(plan(RESPONSES))
    told.show(created(), created("in_progress"))
    assert told.remembered == [("resp_1", None)]


def test_a_background_response_that_was_left_is_pending_and_remembered_with_its_event() -> None:
    told = Told(plan(RESPONSES, background=True))
    outcome = told.show(created())
    assert (outcome.provenance, outcome.tokens) == ("pending", None)
    pending = event(provenance="pending", tokens=None, response_id="resp_1")
    told.account.recorded(pending)
    assert told.remembered[-1] == ("resp_1", pending)


def test_a_background_response_that_was_taken_whole_is_measured() -> None:
    told = Told(plan(RESPONSES, background=True))
    end = {"type": "response.completed", "response": {"id": "resp_1", "usage": COUNTED}}
    assert told.show(created(), sse(end)).provenance == "measured"
    told.account.recorded(event(response_id="resp_1"))
    assert told.remembered == [("resp_1", None)]


@pytest.mark.parametrize("kind", ["response.completed", "response.failed", "response.incomplete"])
def test_reading_uses_nothing_and_tells_of_the_end(kind: str) -> None:
    ends: list[Measurement] = []
    account, flow = ReadingAccount(ends.append), StreamFlow(delivery("responses"))
    end = {"type": kind, "response": {"id": "resp_1", "status": "completed", "usage": COUNTED}}
    for frame in SseReader().feed(created() + sse(end)):
        account.saw(flow.meter, frame, flow.meter.see(frame))
    assert [msgspec.to_builtins(each.tokens)["output"] for each in ends] == [5]
    outcome = account.outcome(flow)
    assert (outcome.provenance, outcome.tokens) == ("none", NO_TOKENS)
    assert (outcome.measurement.response_id, outcome.measurement.units) == ("resp_1", {})

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from builders import NOON
from proxying import RecordingSink
from stored import RESPONSE, FlakyResponses, body, measured, pending_event, stored, waiting

from tollgate.errors import InvalidEvent
from tollgate.proxy.pending_responses import Completions, completion_of
from tollgate.proxy.stored_in_memory import MemoryResponses
from tollgate.usage.event import UsageEvent, decode_event, encode_event
from tollgate.usage.extraction import Measurement, measure_answer
from tollgate.usage.tokens import Tokens


def completed(pending: bytes | None = None, **changes: Any) -> UsageEvent:
    event = completion_of(pending or pending_event(), measured(**changes))
    assert event is not None
    return event


@pytest.mark.parametrize("status", ["queued", "in_progress", "", None, "a new one"])
def test_a_response_that_is_not_over_completes_nothing(status: Any) -> None:
    assert completion_of(pending_event(), measured(status)) is None


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_the_end_of_a_response_completes_its_event(status: str) -> None:
    data = completed(status=status).data
    assert (data.provenance, data.completes) == ("measured", True)
    assert data.tokens == Tokens(input=700, cached_input=128, output=70, reasoning_output=20)


@pytest.mark.parametrize("status", ["failed", "cancelled", "completed", "incomplete"])
def test_an_end_without_usage_claims_nothing(status: str) -> None:
    assert completion_of(pending_event(), measured(status, usage=None)) is None


def test_a_completion_keeps_id_time_payer_and_what_the_request_was() -> None:
    pending = pending_event(user="bob", billing_code=None, latency_ms=812, backend="neu-1")
    before, after = decode_event(pending).event, completed(pending)
    assert (after.id, after.time, after.subject, after.source) == (
        before.id,
        NOON,
        before.subject,
        before.source,
    )
    changed = {"provenance", "tokens", "completes"}
    for name in set(before.data.__struct_fields__) - changed:
        assert getattr(after.data, name) == getattr(before.data, name), name


def test_the_calls_of_tools_are_completed_too() -> None:
    searched = completed(output=[{"type": "web_search_call"}, {"type": "message"}])
    assert searched.data.units == {"web_search_calls": 1}


def test_model_and_tier_are_those_that_the_response_names() -> None:
    data = completed(model="gpt-5-2025-08-07", service_tier="priority").data
    assert (data.model, data.model_version, data.service_tier) == (
        "gpt-5",
        "2025-08-07",
        "priority",
    )
    data = completed(model="o9").data
    assert (data.model, data.model_version) == ("o9", None)


@pytest.mark.parametrize("model", [None, "", "gpt-4o-mini"])
def test_what_the_response_leaves_open_the_pending_event_says(model: Any) -> None:
    data = completed(model=model, service_tier=None).data
    assert (data.model, data.model_version, data.service_tier) == (
        "gpt-4o-mini",
        "2024-07-18",
        "default",
    )


def test_odd_names_of_a_backend_make_an_event_that_can_be_read() -> None:
    event = completed(model="gpt\n" + "x" * 300, service_tier="a\x00b")
    assert decode_event(encode_event(event)).event == event


def test_another_response_completes_nothing() -> None:
    assert completion_of(pending_event(), measured(response_id="resp_2")) is None


def test_everyone_who_sees_the_end_makes_the_same_bytes() -> None:
    plain = body()
    spaced = plain.replace(b",", b" ,\n").replace(b":", b" : ", 1)
    with_more = body(output=[{"type": "message"}], metadata={"a": "b"}, background=True)
    made = {
        encode_event(event)
        for seen in (plain, spaced, with_more)
        if (event := completion_of(pending_event(), measure_answer(seen, "responses")))
    }
    assert len(made) == 1
    received = decode_event(made.pop())
    assert received.key == decode_event(pending_event()).key


def test_what_is_no_event_is_said() -> None:
    with pytest.raises(InvalidEvent):
        completion_of(b"{}", measured())


async def test_the_first_end_that_is_seen_is_recorded_and_no_other() -> None:
    store, sink = MemoryResponses(lambda: 0.0), RecordingSink()
    await store.keep(waiting())
    completions = Completions(store, sink.record)
    seen = [await completions.see(waiting(), measured()) for _ in range(3)]
    assert seen == [True, False, False]
    assert sink.only == completed()
    assert await store.find(RESPONSE, "contoso") == stored()
    assert await completions.see(stored(), measured())


async def test_many_who_see_the_end_at_once_record_it_once() -> None:
    store, sink = MemoryResponses(lambda: 0.0), RecordingSink()
    await store.keep(waiting())
    completions = Completions(store, sink.record)
    await asyncio.gather(*(completions.see(waiting(), measured()) for _ in range(20)))
    assert sink.only == completed()


async def test_a_response_that_is_not_over_is_left_alone() -> None:
    store, sink = MemoryResponses(lambda: 0.0), RecordingSink()
    await store.keep(waiting())
    for seen in (measured("queued"), measured("failed", usage=None), Measurement()):
        assert not await Completions(store, sink.record).see(waiting(), seen)
    assert sink.events == []
    assert await store.settle(RESPONSE, "contoso") == pending_event()


async def test_a_spoiled_event_is_said_and_fails_no_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, sink = MemoryResponses(lambda: 0.0), RecordingSink()
    spoiled = waiting(pending=b"{}")
    assert not await Completions(store, sink.record).see(spoiled, measured())
    assert "what waits for 'resp_1' is no usage event" in caplog.text


class Dies(BaseException):
    """The process is killed."""


@pytest.mark.parametrize("fault", [Dies(), OSError("disk full")])
async def test_a_crash_between_taking_and_recording_loses_nothing(fault: BaseException) -> None:
    now_s, sink = [0.0], RecordingSink()
    store = MemoryResponses(lambda: now_s[0], lease_s=60)
    await store.keep(waiting())

    def fails(_: UsageEvent) -> None:
        raise fault

    with suppress(Dies):
        assert not await Completions(store, fails).see(waiting(), measured())
    now_s[0] = 60
    assert await Completions(store, sink.record).see(waiting(), measured())
    assert sink.only == completed()


async def test_a_crash_after_recording_makes_a_duplicate_and_no_conflict() -> None:
    shared, sink = FlakyResponses(), RecordingSink()
    await shared.keep(waiting())

    def record_and_lose_the_store(event: UsageEvent) -> None:
        sink.record(event)
        shared.is_away = True

    assert await Completions(shared, record_and_lose_the_store).see(waiting(), measured())
    again = FlakyResponses()
    await again.keep(waiting())
    assert await Completions(again, sink.record).see(waiting(), measured())
    assert len({encode_event(event) for event in sink.events}) == 1
    assert len(sink.events) == 2


async def test_without_the_store_the_completion_is_recorded_all_the_same() -> None:
    shared, sink = FlakyResponses(), RecordingSink()
    shared.is_away = True
    assert await Completions(shared, sink.record).see(waiting(), measured())
    assert sink.only == completed()

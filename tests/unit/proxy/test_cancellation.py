"""Wherever a request is cancelled, it has one event, and nothing stays open behind it."""

from __future__ import annotations

import asyncio

import pytest
from gateways import ask, gateway
from proxying import (
    DONE,
    HELLO,
    USAGE,
    FakeAnswer,
    FakeClock,
    FakeUpstream,
    RecordingSink,
    SlowToken,
    backend,
    chat,
    completion,
    request,
    stream,
)

from tollgate.proxy.breaker import BreakerRules
from tollgate.proxy.ports import BackendFailed


async def cancelled(work: asyncio.Task[object]) -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


@pytest.mark.parametrize(
    "script",
    [
        (asyncio.Event(),),
        (FakeAnswer(asyncio.Event()),),
        (stream(asyncio.Event()),),
        (stream(HELLO[:9], asyncio.Event()),),
    ],
    ids=["headers", "body", "first frame", "rest of the first frame"],
)
async def test_a_request_that_is_cancelled_upstream_has_one_unknown_event(
    script: tuple[FakeAnswer | asyncio.Event, ...],
) -> None:
    sink = RecordingSink()
    served = gateway(FakeUpstream(*script), sink)
    await cancelled(asyncio.ensure_future(ask(served, request(body=chat(stream=True)))))
    data = sink.only.data
    assert (data.provenance, data.tokens, data.cancelled) == ("unknown", None, True)
    assert all(step.closed for step in script if isinstance(step, FakeAnswer))


async def test_a_request_that_is_cancelled_before_it_is_sent_has_one_event() -> None:
    sink = RecordingSink()
    served = gateway(FakeUpstream(), sink, backends=(backend(credential=SlowToken()),))
    await cancelled(asyncio.ensure_future(ask(served, request())))
    assert sink.only.data.cancelled


async def test_a_request_that_is_cancelled_before_it_is_noted_used_nothing() -> None:
    sink = RecordingSink()

    def cancel(request_id: str, event: bytes) -> None:  # noqa: ARG001  as a sink takes it
        raise asyncio.CancelledError

    sink.begin = cancel
    with pytest.raises(asyncio.CancelledError):
        await ask(gateway(FakeUpstream(), sink), request())
    assert (sink.only.data.provenance, sink.only.data.cancelled) == ("none", True)


async def test_a_cancelled_request_keeps_the_events_of_its_attempts() -> None:
    sink = RecordingSink()
    cut = BackendFailed("broke off", may_have_cost=True)
    served = gateway(FakeUpstream(cut, asyncio.Event()), sink)
    await cancelled(asyncio.ensure_future(ask(served, request())))
    assert [event.id for event in sink.events] == ["req-1.a1", "req-1"]


async def test_a_cancelled_probe_makes_room_for_the_next() -> None:
    time, sink = FakeClock(), RecordingSink()
    script = (BackendFailed("gone"), asyncio.Event(), FakeAnswer(completion()))
    served = gateway(
        FakeUpstream(*script),
        sink,
        backends=(backend(),),
        clock=time.clock,
        rules=BreakerRules(open_s=5),
    )
    await ask(served, request())
    time.s += 5
    await cancelled(asyncio.ensure_future(ask(served, request())))
    assert (await ask(served, request())).status == 200


async def test_a_probe_by_a_stream_that_is_abandoned_has_closed_the_circuit() -> None:
    time, sink = FakeClock(), RecordingSink()
    script = (BackendFailed("gone"), stream(HELLO, USAGE, DONE), FakeAnswer(completion()))
    served = gateway(FakeUpstream(*script), sink, backends=(backend(),), clock=time.clock)
    await ask(served, request())
    time.s += 10
    body = (await ask(served, request(body=chat(stream=True)))).body
    assert not isinstance(body, bytes)
    body.abandon()
    await served.background.finish()
    assert (await ask(served, request())).status == 200
    assert [event.data.status for event in sink.events] == [503, 200, 200]

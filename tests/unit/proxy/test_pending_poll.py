from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import NOON
from proxying import FakeClock, RecordingSink
from stored import RESPONSE, FlakyResponses, body, measured, stored, waiting

from tollgate.proxy.pending_poll import PendingPoll, PollRules, ResponseGone
from tollgate.proxy.pending_responses import Completions, completion_of
from tollgate.proxy.stored_responses import StoredResponse

QUEUED = body("queued", usage=None)
UNREACHABLE = None
HANGS = asyncio.Event()


class Scene:
    """A poll whose backends answer what the test says, and whose clock the test moves."""

    def __init__(self, **rules: Any) -> None:
        self.clock, self.store, self.sink = FakeClock(), FlakyResponses(), RecordingSink()
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, float]] = []
        self.at_once, self.most_at_once = 0, 0
        completions = Completions(self.store, self.sink.record)
        self.rules = PollRules(**rules)
        self.poll = PendingPoll(self.store, self.ask, completions, self.clock.now, self.rules)

    async def ask(self, response: StoredResponse) -> bytes | None:
        self.asked.append((response.response_id, self.clock.s - 1000))
        answer = self.answers.get(response.response_id, QUEUED)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if answer is HANGS:
                await asyncio.Event().wait()
        finally:
            self.at_once -= 1
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def round_at(self, s: float) -> int:
        self.clock.s = 1000 + s
        return await self.poll.ask_due()

    async def still_pending(self) -> list[str]:
        found = await self.store.pending(NOON + timedelta(days=400), 1000)
        return [response.response_id for response in found]


async def test_the_poll_completes_what_nobody_retrieves() -> None:
    scene = Scene()
    await scene.store.keep(waiting())
    await scene.round_at(0)
    assert scene.sink.events == []
    scene.answers[RESPONSE] = body()
    assert await scene.round_at(5) == 1
    assert scene.sink.only == completion_of(waiting().pending or b"", measured())
    assert await scene.round_at(5000) == 0
    assert await scene.store.find(RESPONSE, "contoso") == stored()


@pytest.mark.parametrize("answer", [QUEUED, UNREACHABLE, b"no JSON", ValueError("odd")])
async def test_the_pauses_double_up_to_a_bound(answer: Any) -> None:
    scene = Scene(first_delay_s=5, max_delay_s=60)
    scene.answers[RESPONSE] = answer
    await scene.store.keep(waiting())
    for s in range(220):
        await scene.round_at(s)
    assert [s for _, s in scene.asked] == [0, 5, 10, 20, 40, 80, 140, 200]


async def test_two_instances_share_one_schedule() -> None:
    scene = Scene()
    other = PendingPoll(
        scene.store, scene.ask, Completions(scene.store, scene.sink.record), scene.clock.now
    )
    await scene.store.keep(waiting())
    for s in range(11):
        await scene.round_at(s)
        await other.ask_due()
    assert [s for _, s in scene.asked] == [0, 5, 10]


@pytest.mark.parametrize("answer", [QUEUED, UNREACHABLE, ValueError("odd")])
async def test_a_response_without_an_end_is_left_to_the_backfill(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(give_up_s=100)
    scene.answers[RESPONSE] = answer
    await scene.store.keep(waiting())
    await scene.round_at(99)
    assert await scene.still_pending() == [RESPONSE]
    await scene.round_at(300)
    assert await scene.still_pending() == []
    assert scene.poll.left_to_backfill == 1
    assert scene.sink.events == []
    assert "'resp_1' of contoso is left to the backfill: no end was seen for 100 s" in caplog.text


async def test_an_old_response_is_asked_for_before_it_is_given_up() -> None:
    scene = Scene(give_up_s=100)
    scene.answers[RESPONSE] = body()
    await scene.store.keep(waiting())
    await scene.round_at(100_000)
    assert scene.sink.only.data.provenance == "measured"
    assert scene.poll.left_to_backfill == 0


async def test_an_end_without_usage_is_left_to_the_backfill() -> None:
    scene = Scene()
    scene.answers[RESPONSE] = body("cancelled", usage=None)
    await scene.store.keep(waiting())
    await scene.round_at(0)
    assert await scene.still_pending() == []
    assert (scene.sink.events, scene.poll.left_to_backfill) == ([], 1)


async def test_a_response_that_is_gone_is_asked_for_no_more() -> None:
    scene = Scene(gone_after_s=60)
    scene.answers[RESPONSE] = ResponseGone()
    await scene.store.keep(waiting())
    await scene.round_at(59)  # a backend may not know its newest responses everywhere
    assert await scene.still_pending() == [RESPONSE]
    await scene.round_at(500)
    assert await scene.still_pending() == []
    assert await scene.store.find(RESPONSE, "contoso") == stored()


async def test_one_bad_response_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(ask_timeout_s=0.01)
    scene.answers = {
        "bad": RuntimeError("a prompt"),
        "silent": HANGS,
        "no event": body(response_id="no event"),
        "good": body(response_id="good"),
    }
    for name in scene.answers:
        await scene.store.keep(waiting(name))
    await scene.store.keep(waiting("no event", pending=b"{}"))
    await scene.round_at(0)
    assert [event.data.response_id for event in scene.sink.events] == ["good"]
    assert sorted(await scene.still_pending()) == ["bad", "no event", "silent"]
    assert "'bad': RuntimeError" in caplog.text
    assert "a prompt" not in caplog.text


async def test_a_round_is_bounded_and_none_is_starved() -> None:
    scene = Scene(at_most=10, at_once=3)
    for number in range(25):
        await scene.store.keep(waiting(f"r{number:02}"))
    assert [await scene.round_at(s) for s in range(4)] == [10, 10, 5, 0]
    assert len({name for name, _ in scene.asked}) == 25
    assert scene.most_at_once == 3


async def test_nothing_is_asked_that_could_not_be_put_off() -> None:
    class ReadOnly(FlakyResponses):
        async def postpone(self, response_id: str, tenant: str, until: datetime) -> None:
            self.is_away = True
            await super().postpone(response_id, tenant, until)

    scene = Scene()
    store = ReadOnly()
    poll = PendingPoll(store, scene.ask, Completions(store, scene.sink.record), scene.clock.now)
    await store.keep(waiting())
    assert await poll.ask_due() == 1
    assert scene.asked == []


async def test_the_loop_outlives_an_outage_of_the_store_and_says_it_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(round_s=0.001)
    scene.answers[RESPONSE] = body()
    await scene.store.keep(waiting())
    scene.store.is_away = True
    running = asyncio.create_task(scene.poll.run())
    await asyncio.sleep(0.02)
    scene.store.is_away = False
    for _ in range(200):
        if scene.sink.events:
            break
        await asyncio.sleep(0.005)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert scene.sink.only.data.completes
    assert caplog.text.count("cannot be listed") == 1

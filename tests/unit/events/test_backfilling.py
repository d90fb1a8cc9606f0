"""Backfill over the SDK, a workspace that speaks as Log Analytics does, a Redis and a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from builders import NOON
from counts import emptied
from ledgers import measured, memory_ledger, pending
from log_workspace import WORKSPACE_ID, LogWorkspace, logged, serving_logs

from tollgate.backfill_parts import WorkspaceLogs
from tollgate.connections.log_analytics import Workspace
from tollgate.connections.redis import open_redis
from tollgate.errors import LogsUnavailable
from tollgate.events import backfilling
from tollgate.events.awaited import AwaitedEvents
from tollgate.events.backfill import Direct
from tollgate.events.backfilling import Backfill, Done
from tollgate.events.dead_letters import RedisDeadLetters
from tollgate.events.intake import Intake
from tollgate.metrics import Metrics
from tollgate.usage.event import ReceivedEvent, UsageEvent, encode_event

pytest_plugins = ["servers"]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SOON = NOON + 10 * MINUTE
DIRECT = Direct(gateway="gw-apim", apis=("openai",), tenants={"sub-42": "contoso"}, deployments={})


class World:
    """The way round: intake, backfill, journal, and by the broker to the intake again."""

    def __init__(self, service: LogWorkspace, logs: WorkspaceLogs, awaited: AwaitedEvents) -> None:
        self.service = service
        self.awaited = awaited
        self.metrics = Metrics()
        self.journal: list[UsageEvent] = []
        self.ledger = memory_ledger()
        self.backfill = Backfill(logs, awaited, self.journal.append, DIRECT, self.metrics)

    def intake(self, dead_letters: RedisDeadLetters) -> None:
        self._intake = Intake(self.ledger.writer, dead_letters, awaited=self.awaited)

    async def take(self, *events: ReceivedEvent, now: datetime = NOON) -> Counter[str]:
        return await self._intake.take([each.raw for each in events], source="test", now=now)

    async def run(self, now: datetime = SOON) -> Done:
        return await self.backfill.run(now)

    async def delivered(self, now: datetime = SOON) -> Counter[str]:
        """What becomes of all that was recorded."""
        raws = [encode_event(each) for each in self.journal]
        self.journal.clear()
        return await self._intake.take(raws, source="test", now=now)

    def requests(self) -> dict[tuple[str, str | None, str], int]:
        """By tenant, billing code and provenance."""
        found: Counter[tuple[str, str | None, str]] = Counter()
        for cell in self.ledger.cells().money:
            key = (cell.tenant, cell.billing_code, cell.sku.provenance)
            found[key] += cell.usage.requests
        return dict(found)


@pytest.fixture
async def world(redis_server: str) -> AsyncIterator[World]:
    service = LogWorkspace()
    async with (
        open_redis(emptied(f"{redis_server}/8")) as redis,
        serving_logs(service) as client,
    ):
        workspace = Workspace(WORKSPACE_ID, client)
        made = World(service, WorkspaceLogs(workspace), AwaitedEvents(redis, "gw-apim"))
        made.intake(RedisDeadLetters(redis))
        yield made
        await workspace.close()


def direct(call_id: str, time: datetime = NOON) -> ReceivedEvent:
    return pending(call_id, time, gateway="gw-apim")


async def test_a_pending_event_is_completed_from_the_log(world: World) -> None:
    await world.take(direct("req-1"), pending("req-2", gateway="gw-proxy"))
    world.service.rows = [logged("req-1", NOON + MINUTE), logged("req-2")]
    assert await world.run() == Done(completed=2, missing=0, unmetered={})
    assert await world.delivered() == {"completed": 2}
    assert world.requests() == {("contoso", "CC-1001", "backfilled"): 2}
    assert await world.run(SOON + HOUR) == Done(completed=0, missing=0, unmetered={})
    assert world.metrics.snapshot()["tollgate_backfill_completed_total"] == 2


async def test_what_the_log_has_not_yet_is_asked_for_again_ever_more_seldom(world: World) -> None:
    await world.take(direct("req-1"))
    asked: list[float] = []
    now = NOON
    while not asked or now < NOON + 23 * HOUR:
        now += MINUTE
        before = len(world.service.queries)
        await world.run(now)
        asked += [(now - NOON) / HOUR] * (len(world.service.queries) - before)
    assert asked[0] == 5 / 60
    assert 10 < len(asked) < 30
    world.service.rows = [logged("req-1")]
    assert (await world.run(now + 6 * HOUR)).completed == 1


async def test_what_the_log_does_not_have_after_a_day_stays_unmetered_and_is_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.take(direct("req-1"), pending("req-2", tenant="fabrikam"), direct("req 3;"))
    world.service.rows = [logged("req-1", PromptTokens=None)]
    assert (await world.run(NOON + DAY - MINUTE)).unmetered == {}
    done = await world.run(NOON + DAY + 12 * HOUR)
    assert done == Done(completed=0, missing=0, unmetered={"contoso": 2, "fabrikam": 1})
    assert "'fabrikam': 1 requests stay unmetered" in caplog.text
    assert world.metrics.snapshot()["tollgate_unmetered_total"] == 3
    assert world.metrics.snapshot()["tollgate_backfill_waiting"] == 0
    assert world.requests() == {
        ("contoso", "CC-1001", "pending"): 2,
        ("fabrikam", "CC-1001", "pending"): 1,
    }


async def test_a_completion_that_is_lost_on_its_way_is_made_again_and_is_the_same(
    world: World,
) -> None:
    await world.take(direct("req-1"))
    world.service.rows = [logged("req-1")]
    await world.run()
    first = world.journal.copy()
    world.journal.clear()
    assert (await world.run(SOON + 2 * HOUR)).completed == 1
    assert world.journal == first
    world.journal += first
    assert await world.delivered() == {"completed": 1, "duplicate": 1}


async def test_a_pending_event_that_comes_again_is_not_completed_again(world: World) -> None:
    await world.take(direct("req-1"))
    world.service.rows = [logged("req-1")]
    await world.run()
    await world.delivered()
    assert await world.take(direct("req-1"), now=SOON) == {"duplicate": 1}
    assert (await world.run(SOON + HOUR)).completed == 0


async def test_an_answer_that_is_partial_is_asked_for_in_halves(world: World) -> None:
    ids = [f"req-{number}" for number in range(9)]
    await world.take(*map(direct, ids))
    world.service.rows = [logged(each) for each in ids]
    world.service.most = 2
    assert (await world.run()).completed == 9
    assert await world.delivered() == {"completed": 9}


async def test_many_are_looked_up_in_parts_and_the_rest_in_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfilling, "AT_ONCE", 2)
    monkeypatch.setattr(backfilling, "MOST_LOOKS", 2)
    ids = [f"req-{number}" for number in range(5)]
    await world.take(*map(direct, ids))
    world.service.rows = [logged(each) for each in ids]
    assert [(await world.run()).completed for _ in range(3)] == [4, 1, 0]


async def test_a_log_that_does_not_answer_leaves_all_for_the_next_run(world: World) -> None:
    await world.take(direct("req-1"))
    world.service.rows = [logged("req-1")]
    world.service.answers = [500] * 20
    with pytest.raises(LogsUnavailable):
        await world.run()
    world.service.answers = []
    assert (await world.run()).completed == 1


async def begun(world: World) -> datetime:
    """The backfill begins to look for calls without an event; when it has seen the hour after."""
    assert (await world.run(NOON)).missing == 0
    return NOON + 26 * HOUR


async def test_a_call_without_an_event_gets_one_after_a_day(world: World) -> None:
    due = await begun(world)
    world.service.rows = [logged("req-1", NOON + 5 * MINUTE)]
    assert (await world.run(due - MINUTE)).missing == 0
    assert (await world.run(due)).missing == 1
    assert await world.delivered(due) == {"applied": 1}
    assert world.requests() == {("contoso", None, "backfilled"): 1}
    assert (await world.run(due + HOUR)).missing == 0


async def test_a_call_that_has_an_event_gets_no_other_whatever_became_of_it(world: World) -> None:
    due = await begun(world)
    took = measured("req-1", gateway="gw-apim")
    await world.take(took, direct("req-2"), direct("req-3"))
    world.service.rows = [logged(f"req-{n}", NOON + MINUTE) for n in (1, 2)]
    await world.run()
    assert await world.delivered() == {"completed": 1}
    assert await world.run(due) == Done(completed=0, missing=0, unmetered={"contoso": 1})
    assert world.journal == []


async def test_calls_through_the_proxy_are_not_looked_at(world: World) -> None:
    due = await begun(world)
    world.service.rows = [logged("req-1", NOON + MINUTE)]
    world.service.apis["req-1"] = "openai-through-the-proxy"
    assert (await world.run(due)).missing == 0


async def test_the_event_that_comes_after_all_gives_its_payer_and_counts_once(
    world: World,
) -> None:
    due = await begun(world)
    world.service.rows = [logged("req-1", NOON + MINUTE)]
    await world.run(due)
    await world.delivered(due)
    assert await world.take(direct("req-1"), now=due) == {"duplicate": 1}
    assert world.requests() == {("contoso", "CC-1001", "backfilled"): 1}


async def test_a_run_that_ended_half_way_is_repeated_without_harm(world: World) -> None:
    due = await begun(world)
    world.service.rows = [logged(f"req-{n}", NOON + n * MINUTE) for n in range(1, 4)]
    await world.run(due)
    await world.awaited.set_since(NOON)
    await world.run(due)
    assert len(world.journal) == 6
    assert await world.delivered(due) == {"applied": 3, "duplicate": 3}


async def test_hours_that_were_missed_are_made_up_for_one_day_a_run(world: World) -> None:
    due = await begun(world)
    world.service.rows = [logged(f"req-{h}", NOON + h * HOUR + MINUTE) for h in range(30)]
    later = due + 29 * HOUR
    assert [(await world.run(later)).missing for _ in range(3)] == [24, 6, 0]


async def test_an_hour_with_too_many_calls_is_asked_for_in_parts(world: World) -> None:
    due = await begun(world)
    world.service.rows = [logged(f"req-{n}", NOON + n * MINUTE) for n in range(60)]
    world.service.most = 7
    assert (await world.run(due)).missing == 60


async def test_a_minute_with_too_many_calls_gives_what_it_gives_and_is_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    due = await begun(world)
    world.service.rows = [logged(f"req-{n}", NOON) for n in range(5)]
    world.service.most = 3
    assert (await world.run(due)).missing == 3
    assert "gives only a part of the calls from 2026-10-15T12:00:00" in caplog.text


async def test_without_apis_of_its_own_only_pending_events_are_completed(world: World) -> None:
    world.backfill.direct = None
    assert (await world.run(NOON)).missing == 0
    assert await world.awaited.since() is None

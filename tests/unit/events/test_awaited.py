from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import NOON
from counts import emptied
from ledgers import completion, measured, pending
from redis.asyncio import Redis

from tollgate.connections.redis import open_redis
from tollgate.errors import StoreUnavailable
from tollgate.events.awaited import FIRST_LOOK, SETTLED_FOR, AwaitedEvents
from tollgate.usage.event import ReceivedEvent

pytest_plugins = ["servers"]

SOON = NOON + FIRST_LOOK


@pytest.fixture
async def redis(redis_server: str) -> AsyncIterator[Redis]:
    async with open_redis(emptied(f"{redis_server}/9")) as redis:
        yield redis


@pytest.fixture
def awaited(redis: Redis) -> AwaitedEvents:
    return AwaitedEvents(redis, "gw-apim")


async def ids(awaited: AwaitedEvents, when: datetime = SOON) -> list[str]:
    return sorted(each.event.id for each in await awaited.due(when, 100))


async def note(awaited: AwaitedEvents, *events: ReceivedEvent) -> None:
    await awaited.before(events, NOON)


async def test_a_pending_event_is_due_when_the_log_may_have_it(awaited: AwaitedEvents) -> None:
    await note(awaited, pending("req-1"), measured("req-2"))
    assert await ids(awaited, SOON - timedelta(seconds=1)) == []
    (waiting,) = await awaited.due(SOON, 100)
    assert (waiting.event, waiting.noted) == (pending("req-1").event, NOON)
    assert waiting.key == pending("req-1").key
    assert await awaited.count() == 1


async def test_only_what_the_direct_gateway_could_not_see_waits_where_it_is_unknown(
    awaited: AwaitedEvents,
) -> None:
    unknown: dict[str, Any] = {"provenance": "unknown", "tokens": None}
    await note(
        awaited, measured("req-1", gateway="gw-apim", **unknown), measured("req-2", **unknown)
    )
    assert await ids(awaited) == ["req-1"]


async def test_an_event_that_comes_again_keeps_its_time(awaited: AwaitedEvents) -> None:
    await note(awaited, pending("req-1"))
    await awaited.before([pending("req-1")], SOON)
    (waiting,) = await awaited.due(SOON, 100)
    assert waiting.noted == NOON


async def test_what_is_completed_waits_no_more_in_whatever_order(awaited: AwaitedEvents) -> None:
    await note(awaited, pending("req-1"))
    await awaited.after([completion("req-1"), completion("req-2"), measured("req-3")], NOON)
    await note(awaited, pending("req-1"), pending("req-2"))
    assert await ids(awaited) == []
    assert await awaited.count() == 0


async def test_what_was_settled_is_forgotten_after_a_day(
    awaited: AwaitedEvents, redis: Redis
) -> None:
    await awaited.settle([pending("req-1").key], NOON)
    later = NOON + SETTLED_FOR
    await awaited.settle([pending("req-2").key], later)
    assert await redis.zcard("{tollgate:backfill}:settled") == 1
    await awaited.settle([], later)


async def test_it_is_looked_at_again_when_that_is_said(awaited: AwaitedEvents) -> None:
    await note(awaited, pending("req-1"), pending("req-2"))
    await awaited.look_again([pending("req-1").key], SOON + timedelta(minutes=5))
    await awaited.look_again([], NOON)
    assert await ids(awaited) == ["req-2"]
    assert await ids(awaited, SOON + timedelta(minutes=5)) == ["req-1", "req-2"]


async def test_what_was_forgotten_meanwhile_is_passed_over(
    awaited: AwaitedEvents, redis: Redis
) -> None:
    await note(awaited, pending("req-1"))
    await redis.delete("{tollgate:backfill}:waiting")
    await note(awaited, pending("req-2"))
    await awaited.look_again([pending("req-2").key], SOON + timedelta(seconds=1))
    later = SOON + timedelta(minutes=1)
    assert await awaited.due(later, 1) == []
    assert [each.event.id for each in await awaited.due(later, 1)] == ["req-2"]


async def test_so_many_wait_and_no_more_and_that_is_told(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    few = AwaitedEvents(redis, max_waiting=2)
    await note(few, pending("req-1"), pending("req-2"))
    await note(few, pending("req-3"))
    assert await few.count() == 2
    assert "2 events wait for their tokens already: 1 more are not looked up" in caplog.text


async def test_calls_of_the_direct_gateway_are_known_about_their_day(
    awaited: AwaitedEvents,
) -> None:
    midnight = NOON.replace(hour=23, minute=59)
    await note(
        awaited,
        measured("req-1", midnight, gateway="gw-apim"),
        pending("req-2", gateway="gw-apim"),
        measured("req-3"),
    )
    calls = {f"req-{number}": midnight + timedelta(minutes=2) for number in range(1, 5)}
    assert await awaited.unseen(calls) == {"req-3", "req-4"}
    assert await awaited.unseen({"req-1": midnight}) == set()
    assert await awaited.unseen({}) == set()


async def test_how_far_it_came_is_remembered(awaited: AwaitedEvents) -> None:
    assert await awaited.since() is None
    await awaited.set_since(NOON)
    assert await awaited.since() == NOON


async def test_a_redis_that_is_away_is_told_and_can_be_tried_again() -> None:
    async with Redis.from_url("redis://127.0.0.1:1", retry=None) as redis:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        away = AwaitedEvents(redis, "gw-apim")
        with pytest.raises(StoreUnavailable, match="ConnectionError"):
            await note(away, pending("req-1"))
        with pytest.raises(StoreUnavailable):
            await away.due(NOON, 1)

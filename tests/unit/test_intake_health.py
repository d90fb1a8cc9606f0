from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from builders import NOON, raw_event
from counts import emptied
from redis.asyncio import Redis

from tollgate.connections.redis import open_redis
from tollgate.events.dead_letters import DeadLetter, RedisDeadLetters
from tollgate.events.intake_metrics import IntakeMetrics
from tollgate.health import Health
from tollgate.intake_health import IntakeHealth
from tollgate.metrics import Metrics
from tollgate.usage.event import decode_event

pytest_plugins = ["servers"]


class World(NamedTuple):
    redis: Redis
    watched: IntakeMetrics
    metrics: Metrics
    health: IntakeHealth

    async def at(self, now: datetime) -> Health:
        return await self.health.health(now)


def world_of(redis: Redis, max_letters: int = 10) -> World:
    metrics = Metrics()
    watched = IntakeMetrics(metrics)
    health = IntakeHealth(redis, RedisDeadLetters(redis, max_letters), watched)
    health.show_in(metrics)
    return World(redis, watched, metrics, health)


@pytest.fixture
async def world(redis_server: str) -> AsyncIterator[World]:
    async with open_redis(emptied(f"{redis_server}/10")) as redis:
        await redis.config_set("appendonly", "yes")  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        yield world_of(redis)
        await redis.config_set("appendonly", "no")  # pyright: ignore[reportUnknownMemberType]  same


async def test_a_ledger_that_keeps_up_on_a_safe_redis_is_well(world: World) -> None:
    found = await world.at(NOON)
    assert found.findings == []
    assert found.facts["memory_used_bytes"] > 0
    assert (found.facts["lag_s"], found.facts["dead_letters"]) == (None, 0)


async def test_a_ledger_that_is_behind_is_degraded_until_nothing_old_comes(world: World) -> None:
    batch = [decode_event(raw_event("req-1"))]
    now = NOON + timedelta(hours=1)
    world.watched.applied(batch, now, 0.1)
    assert [found.reason for found in (await world.at(now)).findings] == [
        "the ledger is 60 minutes behind"
    ]
    later = now + timedelta(minutes=11)
    assert (await world.at(later)).findings == []
    world.watched.applied(batch, NOON + timedelta(minutes=15), 0.1)
    assert (await world.at(NOON + timedelta(minutes=15))).facts["lag_s"] == 900.0


async def test_a_full_store_of_dead_letters_is_told(world: World) -> None:
    small = world_of(world.redis, max_letters=1)
    letters = [
        DeadLetter(reason="r", source="s", received=NOON, body=body) for body in (b"1", b"2")
    ]
    await RedisDeadLetters(world.redis, max_letters=1).keep(letters)
    found = await small.at(NOON)
    assert [each.reason for each in found.findings] == [
        "the store of dead letters is full: what is refused now is not kept"
    ]
    assert (found.facts["dead_letters"], found.facts["dead_letters_not_kept"]) == (1, 1)
    assert small.metrics.snapshot()["tollgate_dead_letters"] == 1


async def test_redis_is_asked_once_in_a_while_whoever_asks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.at(NOON)
    with monkeypatch.context() as away:
        away.setattr(world.redis, "execute_command", None)
        await world.at(NOON + timedelta(seconds=14))
    await world.redis.config_set("appendonly", "no")  # pyright: ignore[reportUnknownMemberType]  types of redis-py
    assert (await world.at(NOON + timedelta(seconds=14))).status == "ok"
    assert (await world.at(NOON + timedelta(seconds=15))).status == "degraded"


async def test_a_redis_that_is_away_is_degraded_for_nothing_is_lost() -> None:
    async with Redis.from_url("redis://127.0.0.1:1", retry=None) as redis:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        world = world_of(redis)
        found = await world.at(NOON)
        assert (found.status, found.http_status) == ("degraded", 200)
        assert "does not answer" in found.findings[0].reason
        assert found.facts["memory_used_bytes"] is None
        assert "tollgate_redis_used_bytes" not in world.metrics.snapshot()

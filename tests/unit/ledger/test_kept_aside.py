from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from builders import NOON
from ledgers import measured, redis_ledger
from redis.asyncio import Redis

from tollgate.connections.redis import open_redis
from tollgate.errors import StoreUnavailable
from tollgate.ledger.kept_aside import KeptAsideEvents
from tollgate.ledger.outcome import KeptAside, LedgerLimits

pytest_plugins = ["servers"]


async def test_conflicts_are_read_by_tenant(redis_server: str) -> None:
    async with redis_ledger(redis_server) as ledger, open_redis(redis_server) as redis:
        conflict = measured("req-1", billing_code="CC-1002")
        await ledger.apply(measured("req-1"), conflict, measured("req-1", tenant="a:b}{c"))
        aside = KeptAsideEvents(redis)
        found = [(event.tenant, event.raw) async for event in aside.scan("conflict")]
        assert found == [("contoso", conflict.raw)]
        assert await aside.count() == KeptAside(conflicts=1, late=0)


async def test_late_events_are_read_apart(redis_server: str) -> None:
    forgetful = LedgerLimits(memory_s=0.001)
    async with redis_ledger(redis_server, forgetful) as ledger, open_redis(redis_server) as redis:
        await ledger.apply(measured("req-1"))
        late = measured("req-2")
        while await ledger.apply(late, now=NOON + timedelta(hours=1)) != ["late"]:
            await redis.flushall()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
            await ledger.apply(measured("req-1"))
            await asyncio.sleep(0.01)
        aside = KeptAsideEvents(redis)
        assert [event.raw async for event in aside.scan("late")] == [late.raw]
        assert await aside.count() == KeptAside(conflicts=0, late=1)


async def test_every_one_of_many_is_read_once(redis_server: str) -> None:
    async with redis_ledger(redis_server) as ledger, open_redis(redis_server) as redis:
        await ledger.apply(*(measured(f"req-{number}") for number in range(300)))
        conflicts = [measured(f"req-{number}", status=201) for number in range(300)]
        await ledger.apply(*conflicts)
        found = [event.raw async for event in KeptAsideEvents(redis).scan("conflict")]
        assert sorted(found) == sorted(event.raw for event in conflicts)


async def test_a_redis_that_is_away_is_told() -> None:
    async with Redis.from_url("redis://127.0.0.1:1", retry=None) as redis:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        with pytest.raises(StoreUnavailable):
            await KeptAsideEvents(redis).count()

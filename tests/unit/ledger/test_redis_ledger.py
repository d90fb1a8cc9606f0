"""The Redis ledger where it differs from its twin: script calls, and Lua without a server."""

from __future__ import annotations

from datetime import timedelta

import fakeredis
import pytest
from builders import NOON
from ledgers import Ledger, completion, measured, memory_ledger, pending
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tollgate.errors import StoreUnavailable
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.ledger.redis_reader import RedisReader


async def test_the_script_runs_in_a_fake_redis() -> None:
    server = fakeredis.FakeServer()
    async with fakeredis.FakeAsyncRedis(server=server) as writing:
        with fakeredis.FakeRedis(server=server) as reading:
            fake, twin = Ledger(RedisLedger(writing), RedisReader(reading)), memory_ledger()
            later = NOON + timedelta(hours=1)
            events = [measured("a"), pending("b"), completion("b", later), completion("c", later)]
            events += [pending("c"), measured("a", status=201), measured("a", tenant="other")]
            assert await fake.apply(*events) == await twin.apply(*events)
            assert fake.cells() == twin.cells()


async def test_a_server_that_is_away_is_unavailable() -> None:
    async with Redis(port=1, retry=Retry(NoBackoff(), 0)) as away:
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await RedisLedger(away).apply([measured()], now=NOON)

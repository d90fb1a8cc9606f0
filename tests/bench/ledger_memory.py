"""What a remembered id and a counter take of Redis's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from bench.ledger_events import TENANT, raw_events
from bench.ledger_ingest import ingest
from bench.measuring import Result
from builders import NOON, raw_event

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.ledger.keys import NAMESPACE, TenantKeys
from tollgate.ledger.redis_ledger import RedisLedger

MAX_BYTES_AN_ID: Final = 64
MAX_BYTES_A_COUNTER: Final = 200
_IDS: Final = 200_000
_HOURS: Final = 8
_COUNTERS_A_ROW: Final = 9  # requests, and quantity and requests of four meters


def memory(url: str) -> Iterator[Result]:
    """The figures, by what Redis has taken in all (INFO) and, where more, by MEMORY USAGE."""
    with open_redis_sync(url) as redis:
        yield _result("ledger.bytes_per_id", _bytes_an_id(url, redis), MAX_BYTES_AN_ID)
        a_counter = _bytes_a_counter(url, redis)
        yield _result("ledger.bytes_per_counter", a_counter, MAX_BYTES_A_COUNTER)


def _result(name: str, value: float, bound: float) -> Result:
    return Result(name, value, "bytes", "bound", bound, value / bound)


def _bytes_an_id(url: str, redis: Any) -> float:
    """New ids alone: the cells are there before."""
    redis.flushall()
    hours = [NOON - timedelta(hours=number) for number in range(_HOURS)]
    _apply(url, [raw_event(f"first {hour}", hour, tenant=TENANT) for hour in hours])
    before = redis.info("memory")["used_memory"]
    ids = [raw_event(f"{n}", hours[n * _HOURS // _IDS], tenant=TENANT) for n in range(_IDS)]
    _apply(url, ids)
    taken = redis.info("memory")["used_memory"] - before
    prefix = f"{TenantKeys(NAMESPACE, TENANT).prefix}ids:"
    return max(taken, _usage(redis, list(redis.scan_iter(f"{prefix}*", 10_000)))) / _IDS


def _bytes_a_counter(url: str, redis: Any) -> float:
    """Of cells as a busy tenant has them, money and users, with all names beside them."""
    redis.flushall()
    _apply(url, raw_events("counters")(50_000))
    keys = TenantKeys(NAMESPACE, TENANT)
    cells = [*redis.keys(f"{keys.prefix}money:*"), *redis.keys(f"{keys.prefix}users:*")]
    rows = sum(redis.hlen(key) for key in cells)
    names = [keys.skus, *redis.keys(f"{keys.prefix}names:*")]
    return _usage(redis, [*cells, *names]) / (rows * _COUNTERS_A_ROW)


def _usage(redis: Any, keys: list[Any]) -> int:
    with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.memory_usage(key, samples=0)
        return sum(pipe.execute())


def _apply(url: str, raws: list[bytes]) -> None:
    async def apply() -> None:
        async with open_redis(url) as redis:
            await ingest(RedisLedger(redis), raws)

    asyncio.run(apply())

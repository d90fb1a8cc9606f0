"""What a pipeline has counted, as its tests ask for it."""

from __future__ import annotations

from contextlib import closing

from tollgate.connections.redis import open_redis_sync
from tollgate.ledger.redis_reader import RedisReader
from tollgate.usage.periods import Month

OCTOBER = Month(2026, 10)


def requests_counted(redis_url: str, month: Month = OCTOBER) -> int:
    """How many requests the money cells of a month hold."""
    with closing(open_redis_sync(redis_url)) as redis:
        return sum(cell.usage.requests for cell in RedisReader(redis).money_cells(month))


def emptied(redis_url: str) -> str:
    """The URL of a database, with nothing in it any more."""
    with closing(open_redis_sync(redis_url)) as redis:
        redis.flushdb()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
    return redis_url

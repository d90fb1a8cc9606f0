"""Booking events on a real Redis, beside the naive way: a round trip for every command."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count

from bench.measuring import Contest
from builders import NOON, raw_event
from redis import Redis
from servers import running

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.usage.event import decode_event

_EVENTS_A_BATCH = 100


@contextmanager
def ledger_contests() -> Generator[list[Contest]]:
    """What runs once an event on its way into the ledger; the server runs while the block does."""
    with (
        running("redis-server") as url,
        asyncio.Runner() as runner,
        open_redis_sync(url) as plain,
    ):
        redis = open_redis(url)
        ledger, numbers = RedisLedger(redis), count()

        def batch() -> list[bytes]:
            return [raw_event(f"r-{next(numbers)}") for _ in range(_EVENTS_A_BATCH)]

        def ours() -> int:
            events = [decode_event(raw) for raw in batch()]
            return len(runner.run(ledger.apply(events, now=NOON)))

        def theirs() -> int:
            return sum(_naive(plain, raw) for raw in batch())

        try:
            yield [Contest("ledger.ingest", "events/s", "naive", ours, theirs)]
        finally:
            runner.run(redis.aclose())


def _naive(redis: Redis, raw: bytes) -> int:
    """SET NX, then an increment for each count, in both the hour's and the user's cell."""
    event = decode_event(raw).event
    if redis.set(f"seen:{event.id}", 1, nx=True) and event.data.tokens:
        tokens = event.data.tokens
        for cell in ("hour", "user"):
            redis.hincrby(f"naive:{cell}", "requests", 1)
            redis.hincrby(f"naive:{cell}", "input", tokens.input)
            redis.hincrby(f"naive:{cell}", "output", tokens.output)
    return 1

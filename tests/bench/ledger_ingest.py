"""From the JSON of a trigger's batch to applied cells: our way, and the naive one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from bench.ledger_events import batches
from bench.processes import BenchError
from builders import NOON
from redis import Redis

from tollgate.ledger.batch import as_json
from tollgate.ledger.booking import Booking, book
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.usage.event import decode_event
from tollgate.usage.sku import sku_values

IN_FLIGHT: Final = 4  # batches, as of as many partitions


async def ingest(ledger: RedisLedger, raws: Sequence[bytes]) -> None:
    """Decode, check and apply events, some batches at once.

    Raises:
        BenchError: Not all of them counted.
    """
    waiting = iter(batches(raws))

    async def work() -> None:
        for batch in waiting:
            outcomes = await ledger.apply([decode_event(raw) for raw in batch], now=NOON)
            if set(outcomes) != {"applied"}:
                raise BenchError(f"not all were applied: {set(outcomes)}")

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


def ingest_naively(redis: Redis, raw: bytes) -> None:
    """SET NX, then an increment for each counter of both cells, a round trip each."""
    received = decode_event(raw)
    booking = book(received)
    if not redis.set(b"seen:" + booking.key, booking.body, nx=True):
        return
    sku = as_json(sku_values(received.event.data))
    code, user = as_json(booking.billing_code), as_json(booking.user)
    for cell, row in ((booking.hour, f"{code},{sku}"), (booking.day, f"{code},{user},{sku}")):
        for field, quantity in _counters(booking):
            redis.hincrby(f"naive:{booking.tenant}:{cell}", f"[{row}{field}]", quantity)


def _counters(booking: Booking) -> Iterator[tuple[str, int]]:
    yield "", 1
    for meter, quantity in booking.counts.items():
        yield f',"q","{meter}"', quantity
        yield f',"n","{meter}"', 1

"""A month's cells in the ledger's own layout, and the same counters as in a naive ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from accounting import sku
from redis import Redis

from tollgate.connections.redis import open_redis
from tollgate.ledger.bulk_writer import BulkWriter
from tollgate.ledger.keys import NAMESPACE, TenantKeys
from tollgate.ledger.outcome import LedgerLimits
from tollgate.ledger.redis_reader import RedisReader
from tollgate.ledger.row_sums import Rows
from tollgate.ledger.rows import Row, Sum
from tollgate.usage.periods import Month

MONTH: Final = Month(2026, 9)  # 720 hours
EMPTY_MONTH: Final = Month(2026, 8)
FLAT: Final = "flat"  # the namespace of the naive ledger
_CODES: Final = 5
_SKUS: Final = (
    (sku(scope="global"), ("input", "cached_input", "output")),
    (sku(model="gpt-5", scope="global"), ("input", "output", "reasoning_output")),
)
_ROWS_A_CELL: Final = _CODES * len(_SKUS)  # of a tenant and an hour
_COUNTERS_A_ROW: Final = 7  # requests, and quantity and requests of three meters


def counters(tenants: int) -> int:
    """How many counters a month of so many tenants has: every number that the ledger keeps."""
    return tenants * len(MONTH.hours()) * _ROWS_A_CELL * _COUNTERS_A_ROW


def fill(url: str, tenants: int) -> None:
    """Write a month as a rebuild does; each hour of each tenant has all codes and SKUs."""

    async def write() -> None:
        limits, after = LedgerLimits(), f"{MONTH.hours()[-1]}~"
        async with open_redis(url) as redis:
            writer = BulkWriter(redis, NAMESPACE, limits, now_s=0, kept_since=after)
            for number in range(tenants):
                await writer.add(_hours(number), {})

    asyncio.run(write())


def fill_flat(redis: Redis) -> None:
    """Write each counter of the ledger again, as a field of its own."""
    hashes: dict[str, dict[str, int]] = {}
    for cell in RedisReader(redis).money_cells(MONTH):
        place = f"{cell.billing_code}:{cell.sku.model}"
        flat = hashes.setdefault(TenantKeys(FLAT, cell.tenant).money(cell.hour), {})
        flat[f"{place}:requests"] = cell.usage.requests
        for meter, used in cell.usage.meters.items():
            flat |= {f"{place}:{meter}": used.quantity, f"{place}:{meter}:requests": used.requests}
    for key, flat in hashes.items():
        redis.hset(key, mapping={**flat})


def weight(redis: Any, namespace: str) -> str:
    """What reading the month's hashes of a namespace brings, in words."""
    hashes = fields = size = 0
    for key in redis.scan_iter(f"{namespace}:*:money:{MONTH}-*", 10_000):
        found: dict[bytes, bytes] = redis.hgetall(key)
        hashes, fields = hashes + 1, fields + len(found)
        size += sum(len(name) + len(text) for name, text in found.items())
    return f"{hashes:,} hashes with {fields:,} fields, {size / 1e6:,.1f} MB of names and values"


def _hours(number: int) -> Rows:
    tenant = f"tenant-{number:04d}"
    hours = enumerate(MONTH.hours())
    return {(tenant, hour): dict(_rows(number, index)) for index, hour in hours}


def _rows(number: int, hour: int) -> Iterator[tuple[Row, Sum]]:
    for code in range(_CODES):
        for place, (each, meters) in enumerate(_SKUS):
            requests = 1 + (number * 7 + hour * 13 + code * 31 + place) % 400
            made = Sum()
            made.add(requests, dict.fromkeys(meters, (requests * (97 + hour), requests)))
            yield ((f"CC-{number:03d}-{code}",), each), made

"""Writes sums and ids straight into a generation of the ledger that nobody uses yet.

What is stored is what `apply` would have stored. Every command sets what will be, so that redis-py
may repeat any; a row that is there already is read before it is added to, which is safe as there
is one writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
from redis.asyncio import Redis, RedisCluster

from tollgate.ledger.admission import Admission
from tollgate.ledger.batch import as_json
from tollgate.ledger.booking import Booking
from tollgate.ledger.id_buckets import IDS_COUNT, buckets, hours_in
from tollgate.ledger.keys import TenantKeys, tenants_key
from tollgate.ledger.outcome import LedgerLimits
from tollgate.ledger.pipelines import Command, run
from tollgate.ledger.redis_rows import read_counters
from tollgate.ledger.row_sums import Rows
from tollgate.ledger.rows import Row, Sum
from tollgate.ledger.same_key import Pair
from tollgate.redis_errors import store_errors
from tollgate.usage.sku import Sku

_Field = TypeVar("_Field")
_Value = TypeVar("_Value")

_FIELDS: Final = 2_000  # of a command
_FORGOTTEN: Final = "0"  # a time in the past
_encoder: Final = msgspec.json.Encoder()


class BulkWriter:
    """Fills a generation that nobody uses yet.

    Args:
        redis: A client that returns bytes.
        namespace: The generation's.
        limits: How much the ledger remembers.
        now_s: The time, in Unix seconds; what is remembered is so from now on.
        kept_since: The first hour whose ids are remembered.
    """

    def __init__(
        self,
        redis: Redis | RedisCluster,
        namespace: str,
        limits: LedgerLimits,
        *,
        now_s: float,
        kept_since: str,
    ) -> None:
        self._redis = redis
        self._namespace = namespace
        self._limits = limits
        self._until_s = now_s + limits.memory_s
        self._kept_since = kept_since
        self._admission = Admission(redis, limits)
        self._skus: dict[str, dict[Sku, int]] = {}

    async def add(self, money: Rows, users: Rows) -> None:
        """Add sums to the cells; a row without a request left is removed."""
        if not money:
            return
        with store_errors():
            await self._redis.sadd(tenants_key(self._namespace), *{tenant for tenant, _ in money})
        await run(self._redis, [*self._number_skus(money), *self._forgotten_hours(money)])
        money, users = await self._admission.admit(self._keys, money, users)
        hashes = [(self._keys(tenant).money(hour), rows) for (tenant, hour), rows in money.items()]
        hashes += [(self._keys(tenant).users(day), rows) for (tenant, day), rows in users.items()]
        tenants = [tenant for tenant, _ in (*money, *users)]
        await self._add_rows(
            [
                (key, {self._field(tenant, row): each for row, each in rows.items()})
                for tenant, (key, rows) in zip(tenants, hashes, strict=True)
            ]
        )

    async def remember(self, span: str, by_tenant: Mapping[str, Sequence[bytes]]) -> None:
        """Set all ids of a span of hours; an hour that has none is as if it never was."""
        commands: list[Command] = []
        for tenant, records in by_tenant.items():
            keys = self._keys(tenant)
            ids = keys.ids(span)
            packed: dict[str | int, bytes | int] = {IDS_COUNT: len(records), **buckets(records)}
            commands += [("HSET", ids, *_flat(part)) for part in _parts(packed)]
            commands.append(("PEXPIRE", ids, round(self._limits.memory_s * 1000)))
            until = f"{self._until_s:.3f}"
            commands += [("ZADD", keys.hours, until, hour) for hour in hours_in(span, records)]
        await run(self._redis, commands)

    async def keep_pairs(self, pairs: Mapping[tuple[str, bytes], Pair | None]) -> None:
        """Set what is known of pending events and completions, by tenant and key; None is none."""
        commands: list[Command] = []
        for (tenant, key), pair in pairs.items():
            prefix = self._keys(tenant).prefix
            if pair is None:
                commands.append(("HDEL", f"{prefix}pairs", key))
                commands.append(("ZREM", f"{prefix}pairs_until", key))
            else:
                commands.append(("HSET", f"{prefix}pairs", key, await self._pair_text(pair)))
                commands.append(("ZADD", f"{prefix}pairs_until", f"{self._until_s:.3f}", key))
        await run(self._redis, commands)

    async def keep_aside(self, conflicts: Iterable[Booking]) -> None:
        """Keep conflicts where the ledger keeps them."""
        commands: list[Command] = [
            ("HSET", self._keys(each.tenant).kept_aside("conflict"), each.key + each.body, each.raw)
            for each in conflicts
        ]
        await run(self._redis, commands)

    def _keys(self, tenant: str) -> TenantKeys:
        return TenantKeys(self._namespace, tenant)

    def _number_skus(self, money: Rows) -> list[Command]:
        commands: list[Command] = []
        for (tenant, _), rows in money.items():
            known = self._skus.setdefault(tenant, {})
            for _, sku in rows:
                if sku not in known:
                    known[sku] = len(known)
                    text = as_json(msgspec.structs.astuple(sku))
                    commands.append(("HSET", self._keys(tenant).skus, text, known[sku]))
        return commands

    def _forgotten_hours(self, money: Rows) -> list[Command]:
        """Marks the hours that lie too far back to remember anything; `remember` does the others.

        So does one of which all events are in conflict: a new event of it is kept aside, not lost.
        """
        return [
            ("ZADD", self._keys(tenant).hours, _FORGOTTEN, hour)
            for tenant, hour in money
            if hour < self._kept_since
        ]

    def _field(self, tenant: str, row: Row) -> str:
        names, sku = row
        return f"[{','.join(map(as_json, names))},{self._skus[tenant][sku]}]"

    async def _add_rows(self, hashes: list[tuple[str, dict[str, Sum]]]) -> None:
        known = await run(self._redis, [("EXISTS", key) for key, _ in hashes])
        present = [pair for pair, found in zip(hashes, known, strict=True) if found]
        parts = [(key, part) for key, rows in present for part in _parts(rows)]
        texts = await run(self._redis, [("HMGET", key, *part) for key, part in parts])
        for (_, part), found in zip(parts, texts, strict=True):
            for each, text in zip(part.values(), found, strict=True):
                if text is not None:
                    each.add(*read_counters(text))
        await run(
            self._redis,
            [each for key, rows in hashes for part in _parts(rows) for each in _set(key, part)],
        )

    async def _pair_text(self, pair: Pair) -> str:
        if pair.state == "done":
            return "done"
        half = pair.half
        code, user = await self._admission.names(self._keys(half.tenant), half)
        sku = str(self._skus[half.tenant][half.sku])
        counts = [str(each) for count in half.counts.items() for each in count]
        return "\n".join((pair.state, half.hour, as_json(code), as_json(user), sku, *counts))


def _parts(fields: Mapping[_Field, _Value]) -> Iterable[Mapping[_Field, _Value]]:
    if len(fields) <= _FIELDS:
        return [fields]
    items = list(fields.items())
    return [dict(items[start : start + _FIELDS]) for start in range(0, len(items), _FIELDS)]


def _flat(fields: Mapping[_Field, _Value]) -> list[_Field | _Value]:
    return [part for field in fields.items() for part in field]


def _set(key: str, rows: Mapping[str, Sum]) -> Iterable[Command]:
    kept = [part for field, each in rows.items() if each.requests for part in (field, _text(each))]
    gone = [field for field, each in rows.items() if not each.requests]
    if kept:
        yield ("HSET", key, *kept)
    if gone:
        yield ("HDEL", key, *gone)


def _text(row: Sum) -> bytes:
    meters = row.meters
    if not all(counted for _, counted in meters.values()):
        meters = {meter: both for meter, both in meters.items() if both[1]}
    return _encoder.encode((row.requests, meters))

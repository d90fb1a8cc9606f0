"""Writes sums and ids straight into a generation of the ledger that nobody uses yet.

Every command sets what will be, so that redis-py may repeat any; sums are read before they are
added to, which is safe as there is one writer. What is stored is what `apply` stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis, RedisCluster

from tollgate.ledger.batch import as_json
from tollgate.ledger.booking import Booking
from tollgate.ledger.cells import OVERFLOW, Usage
from tollgate.ledger.id_buckets import buckets
from tollgate.ledger.keys import TenantKeys, tenants_key
from tollgate.ledger.outcome import LedgerLimits
from tollgate.ledger.redis_errors import store_errors
from tollgate.ledger.row_sums import Period, Rows
from tollgate.ledger.rows import Names, Row, Tally
from tollgate.ledger.same_key import Pair
from tollgate.usage.sku import Sku

_AT_ONCE: Final = 2_000  # fields of a command, and commands of a pipeline
_FORGOTTEN: Final = 0  # a time in the past
_encoder: Final = msgspec.json.Encoder()
_usage: Final = msgspec.json.Decoder(Usage)


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
        self._slack_s = limits.memory_s / 16
        self.kept_since = kept_since
        self._skus: dict[str, dict[Sku, int]] = {}

    async def add(self, money: Rows, users: Rows) -> None:
        """Add sums to the cells; a row without a request left is removed."""
        tenants = {tenant for tenant, _ in money}
        if not tenants:
            return
        with store_errors():
            await self._redis.sadd(tenants_key(self._namespace), *tenants)
        for tenant in sorted(tenants):
            keys = TenantKeys(self._namespace, tenant)
            await self._number_skus(keys, tenant, money)
            await self._keep_hours(keys, [hour for name, hour in money if name == tenant])
        codes = {
            tenant: await self._admitted(tenant, "codes", _codes(money, tenant))
            for tenant in tenants
        }
        for period, rows in money.items():
            keys = TenantKeys(self._namespace, period[0])
            own = codes[period[0]]
            await self._add_rows(keys.money(period[1]), period[0], _overflowing(rows, own, None))
        for period, rows in users.items():
            await self._add_users(period, rows, codes[period[0]])

    async def remember(self, tenant: str, hour: str, records: Sequence[bytes]) -> None:
        """Set all ids that an hour remembers."""
        ids = f"{TenantKeys(self._namespace, tenant).prefix}ids:{hour}"
        ids_ms = round((self._limits.memory_s + self._slack_s) * 1000) + 1
        bucket_ms = round((self._limits.memory_s + 2 * self._slack_s) * 1000) + 1
        commands: list[tuple[Any, ...]] = [
            ("SET", f"{ids}:{bucket}", text, "PX", bucket_ms)
            for bucket, text in buckets(records).items()
        ]
        meta = f"{len(records)} {self._until_s + self._slack_s:.3f}"
        await self._run([*commands, ("SET", ids, meta, "PX", ids_ms)])

    async def keep_pairs(self, pairs: Mapping[tuple[str, bytes], Pair | None]) -> None:
        """Set what is known of pending events and completions, by tenant and key; None is none."""
        commands: list[tuple[Any, ...]] = []
        for (tenant, key), pair in pairs.items():
            prefix = TenantKeys(self._namespace, tenant).prefix
            if pair is None:
                commands.append(("HDEL", f"{prefix}pairs", key))
                commands.append(("ZREM", f"{prefix}pairs_until", key))
            else:
                commands.append(("HSET", f"{prefix}pairs", key, await self._pair_text(pair)))
                commands.append(("ZADD", f"{prefix}pairs_until", f"{self._until_s:.3f}", key))
        await self._run(commands)

    async def keep_aside(self, conflicts: Iterable[Booking]) -> None:
        """Keep conflicts where the ledger keeps them."""
        for booking in conflicts:
            name = TenantKeys(self._namespace, booking.tenant).kept_aside("conflict")
            await self._run([("HSET", name, booking.key + booking.body, booking.raw)])

    async def _number_skus(self, keys: TenantKeys, tenant: str, money: Rows) -> None:
        known = self._skus.setdefault(tenant, {})
        found = {sku for (name, _), rows in money.items() if name == tenant for _, sku in rows}
        new = sorted(found - known.keys(), key=_sku_json)
        for sku in new:
            known[sku] = len(known)
        await self._set(keys.skus, {_sku_json(sku): str(known[sku]) for sku in new})

    async def _keep_hours(self, keys: TenantKeys, hours: Sequence[str]) -> None:
        scores = [
            (f"{self._until_s:.3f}" if hour >= self.kept_since else _FORGOTTEN, hour)
            for hour in hours
        ]
        await self._run([("ZADD", keys.hours, *score) for score in scores])

    async def _admitted(self, tenant: str, name: str, found: set[str | None]) -> set[str | None]:
        """Which names have a cell of their own."""
        limit = self._limits.billing_codes if name == "codes" else self._limits.users_per_day
        key = TenantKeys(self._namespace, tenant).prefix + name
        texts = {as_json(each).encode(): each for each in found if each is not None}
        admitted: set[str | None] = {None}
        if not texts:
            return admitted
        ordered = sorted(texts)
        is_member = [
            flag
            for start in range(0, len(ordered), _AT_ONCE)
            for flag in (
                await self._run([("SMISMEMBER", key, *ordered[start : start + _AT_ONCE])])
            )[0]
        ]
        known = [text for text, flag in zip(ordered, is_member, strict=True) if flag]
        new = [text for text, flag in zip(ordered, is_member, strict=True) if not flag]
        [count] = await self._run([("SCARD", key)])
        new = new[: max(limit - count, 0)]
        await self._run([("SADD", key, each) for each in new])
        return admitted | {texts[text] for text in (*known, *new)}

    async def _own_or_overflow(self, tenant: str, names: str, name: str | None) -> str | None:
        return name if name in await self._admitted(tenant, names, {name}) else OVERFLOW

    async def _add_users(self, period: Period, rows: dict[Row, Tally], codes: set[Any]) -> None:
        tenant, day = period
        found = {names[1] for names, _ in rows}
        users = await self._admitted(tenant, f"names:{day}", found)
        key = TenantKeys(self._namespace, tenant).users(day)
        await self._add_rows(key, tenant, _overflowing(rows, codes, users))

    async def _add_rows(self, key: str, tenant: str, rows: dict[Row, Tally]) -> None:
        skus = self._skus[tenant]
        fields = {field_of(names, skus[sku]): tally for (names, sku), tally in rows.items()}
        for start in range(0, len(fields), _AT_ONCE):
            some = dict(list(fields.items())[start : start + _AT_ONCE])
            [present] = await self._run([("HMGET", key, *some)])
            sums = {
                field: _sum(tally, text)
                for (field, tally), text in zip(some.items(), present, strict=True)
            }
            await self._set(key, {f: _encoder.encode(u) for f, u in sums.items() if u.requests})
            gone = [field for field, usage in sums.items() if not usage.requests]
            await self._run([("HDEL", key, *gone)] if gone else [])

    async def _pair_text(self, pair: Pair) -> str:
        if pair.state == "done":
            return "done"
        half = pair.half
        code = await self._own_or_overflow(half.tenant, "codes", half.billing_code)
        user = await self._own_or_overflow(half.tenant, f"names:{half.day}", half.user)
        sku = str(self._skus[half.tenant][half.sku])
        counts = [str(each) for count in half.counts.items() for each in count]
        return "\n".join((pair.state, half.hour, as_json(code), as_json(user), sku, *counts))

    async def _set(self, key: str, fields: Mapping[str, str | bytes]) -> None:
        if fields:
            flat = [each for field in fields.items() for each in field]
            await self._run([("HSET", key, *flat)])

    async def _run(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        answers: list[Any] = []
        for start in range(0, len(commands), _AT_ONCE):
            with store_errors():
                pipeline: Any = self._redis.pipeline(transaction=False)
                for command in commands[start : start + _AT_ONCE]:
                    pipeline.execute_command(*command)
                answers += await pipeline.execute()
        return answers


def field_of(names: Names, sku: int) -> str:
    """A row's field in a hash of cells."""
    return f"[{','.join(map(as_json, names))},{sku}]"


def _sum(tally: Tally, text: bytes | None) -> Usage:
    if text is not None:
        known = _usage.decode(text)
        tally.requests += known.requests
        for name, meter in known.meters.items():
            tally.quantities[name] += meter.quantity
            tally.counted[name] += meter.requests
    return tally.usage()


def _codes(money: Rows, tenant: str) -> set[str | None]:
    return {code for (name, _), rows in money.items() if name == tenant for (code, *_), _ in rows}


def _overflowing(
    rows: dict[Row, Tally], codes: set[str | None], users: set[str | None] | None
) -> dict[Row, Tally]:
    """The rows, with the names beyond the limits folded into one."""
    folded: dict[Row, Tally] = {}
    for (names, sku), tally in rows.items():
        own = [name if name in codes else OVERFLOW for name in names[:1]]
        own += [name if users and name in users else OVERFLOW for name in names[1:]]
        target = folded.setdefault((tuple(own), sku), Tally())
        target.requests += tally.requests
        target.quantities.update(tally.quantities)
        target.counted.update(tally.counted)
    return folded


def _sku_json(sku: Sku) -> str:
    return as_json(msgspec.structs.astuple(sku))

"""The ledger on Redis: dedupe and count happen in one atomic script (apply)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from redis.asyncio import Redis, RedisCluster

from tollgate.ledger.apply import script
from tollgate.ledger.batch import Batch, as_json
from tollgate.ledger.cells import OVERFLOW
from tollgate.ledger.keys import NAMESPACE, TenantKeys, tenants_key
from tollgate.ledger.outcome import LedgerLimits, Outcome
from tollgate.redis_errors import store_errors
from tollgate.usage.event import ReceivedEvent

MAX_TENANTS_AT_ONCE: Final = 16

_OUTCOMES: Final[dict[int, Outcome]] = {
    ord("a"): "applied",
    ord("m"): "completed",
    ord("d"): "duplicate",
    ord("c"): "conflict",
    ord("l"): "late",
}
_SCRIPT: Final = script()


class RedisLedger:
    """Counts events in Redis, each once.

    Args:
        redis: A client that returns bytes, of one server or of a cluster; its retries are welcome,
            every command is safe to repeat.
        limits: How much the ledger remembers.
        namespace: What all keys begin with; no braces.
    """

    def __init__(
        self,
        redis: Redis | RedisCluster,
        limits: LedgerLimits | None = None,
        namespace: str = NAMESPACE,
    ) -> None:
        self._redis = redis
        self._limits = limits or LedgerLimits()
        self._namespace = namespace
        self._script = redis.register_script(_SCRIPT)

    async def apply(self, events: Sequence[ReceivedEvent], *, now: datetime) -> list[Outcome]:
        """Count events in their cells; see `LedgerWriter.apply`."""
        by_tenant = _batches(events)
        if by_tenant:
            with store_errors():
                await self._redis.sadd(tenants_key(self._namespace), *by_tenant)
        found = await self._apply_tenants(by_tenant, now)
        return [found[position] for position in range(len(events))]

    async def _apply_tenants(
        self, by_tenant: dict[str, list[Batch]], now: datetime
    ) -> dict[int, Outcome]:
        """All tenants are tried, also when one fails; then the first error is raised."""
        bound = asyncio.Semaphore(MAX_TENANTS_AT_ONCE)

        async def apply_tenant(tenant: str, batches: list[Batch]) -> dict[int, Outcome]:
            keys = TenantKeys(self._namespace, tenant)
            found: dict[int, Outcome] = {}
            async with bound:
                for batch in batches:
                    with store_errors():
                        outcomes = await self._apply_batch(keys, batch, now)
                    found.update(zip(batch.positions, outcomes, strict=True))
            return found

        results = await asyncio.gather(
            *(apply_tenant(tenant, batches) for tenant, batches in by_tenant.items()),
            return_exceptions=True,
        )
        found: dict[int, Outcome] = {}
        for outcomes in results:
            if isinstance(outcomes, BaseException):
                raise outcomes
            found |= outcomes
        return found

    async def _apply_batch(self, keys: TenantKeys, batch: Batch, now: datetime) -> list[Outcome]:
        arguments = [*self._settings(keys, now), *batch.arguments()]
        letters: bytes = await self._script(keys=keys.of(batch.hours()), args=arguments)
        outcomes: list[Outcome] = [_OUTCOMES[letter] for letter in letters]
        if b"c" in letters or b"l" in letters:
            await self._keep_aside(keys, batch.events, outcomes)
        return outcomes

    def _settings(self, keys: TenantKeys, now: datetime) -> list[str]:
        limits = self._limits
        return [
            keys.prefix,
            repr(limits.memory_s),
            f"{now.timestamp():.3f}",
            str(limits.billing_codes),
            str(limits.users_per_day),
            as_json(OVERFLOW),
        ]

    async def _keep_aside(
        self, keys: TenantKeys, events: Iterable[ReceivedEvent], outcomes: Iterable[Outcome]
    ) -> None:
        """Keep what was not counted; a repetition has the same outcome and comes here again."""
        for event, outcome in zip(events, outcomes, strict=True):
            if outcome in ("conflict", "late"):
                name = keys.kept_aside(outcome)
                await self._redis.hset(name, event.key + event.body, event.raw)


def _batches(events: Sequence[ReceivedEvent]) -> dict[str, list[Batch]]:
    """The calls for each tenant, in the order of its events."""
    by_tenant: dict[str, list[Batch]] = {}
    for position, received in enumerate(events):
        tenant = received.event.data.tenant
        batches = by_tenant.get(tenant)
        if batches is None:
            batches = by_tenant[tenant] = [Batch()]
        if batches[-1].is_full:
            batches.append(Batch())
        batches[-1].add(position, received)
    return by_tenant

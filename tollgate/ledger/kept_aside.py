"""Reads the events that the ledger did not count and keeps aside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, Literal, cast

import msgspec
from redis.asyncio import Redis

from tollgate.ledger.generation import current_namespace
from tollgate.ledger.keys import NAMESPACE, TenantKeys, tenants_key
from tollgate.ledger.outcome import KeptAside
from tollgate.redis_errors import store_errors

Reason = Literal["conflict", "late"]
_EVENTS_A_SCAN: Final = 50


class KeptAsideEvent(msgspec.Struct, frozen=True):
    """An event as it was received, and the tenant that keeps it."""

    tenant: str
    raw: bytes


class KeptAsideEvents:
    """What the ledger keeps aside, in the generation that is in force at each call.

    Args:
        redis: A client that returns bytes.
        namespace: What the keys of all generations begin with.

    Every method raises `StoreUnavailable` when Redis does not answer; try again later.
    """

    def __init__(self, redis: Redis, namespace: str = NAMESPACE) -> None:
        self._redis = redis
        self._namespace = namespace

    async def scan(self, reason: Reason) -> AsyncIterator[KeptAsideEvent]:
        """Every event that is kept for this reason, by tenant, few in memory at a time."""
        namespace = await current_namespace(self._redis, self._namespace)
        for tenant in await self._tenants(namespace):
            async for raw in self._scan(TenantKeys(namespace, tenant).kept_aside(reason)):
                yield KeptAsideEvent(tenant, raw)

    async def count(self) -> KeptAside:
        """How many there are, of all tenants."""
        conflicts = late = 0
        namespace = await current_namespace(self._redis, self._namespace)
        for tenant in await self._tenants(namespace):
            keys = TenantKeys(namespace, tenant)
            with store_errors():
                conflicts += await self._redis.hlen(keys.kept_aside("conflict"))
                late += await self._redis.hlen(keys.kept_aside("late"))
        return KeptAside(conflicts, late)

    async def _tenants(self, namespace: str) -> list[str]:
        with store_errors():
            found: Any = await self._redis.smembers(tenants_key(namespace))
        return sorted(name.decode() for name in cast("set[bytes]", found))

    async def _scan(self, key: str) -> AsyncIterator[bytes]:
        cursor, seen = 0, set[bytes]()  # a scan may show one twice
        while True:
            with store_errors():
                answer: Any = await self._redis.hscan(key, cursor, count=_EVENTS_A_SCAN)
            cursor = int(answer[0])
            for field, raw in cast("dict[bytes, bytes]", answer[1]).items():
                if field not in seen:
                    seen.add(field)
                    yield raw
            if cursor == 0:
                return

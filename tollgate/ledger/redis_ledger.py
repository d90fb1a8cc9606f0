"""The ledger on Redis: dedupe and count happen in one atomic script (apply.lua)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Final, cast

from redis.asyncio import Redis

from tollgate.ledger.booking import Booking, book
from tollgate.ledger.cells import OVERFLOW
from tollgate.ledger.keys import NAMESPACE, TenantKeys, name_field, sku_field, tenants_key
from tollgate.ledger.outcome import LedgerLimits, Outcome
from tollgate.ledger.redis_errors import store_errors
from tollgate.usage.event import ReceivedEvent

# A script call keeps the server from everything else: these bound it to a few milliseconds.
MAX_EVENTS_A_CALL: Final = 200
MAX_COUNTS_A_CALL: Final = 1_000
MAX_TENANTS_AT_ONCE: Final = 16

_SCRIPT: Final = files("tollgate.ledger").joinpath("apply.lua").read_bytes()


class RedisLedger:
    """Counts events in Redis, each once.

    Args:
        redis: A client that returns bytes; its retries are welcome, every command is safe to
            repeat.
        limits: How much the ledger remembers.
        namespace: What all keys begin with; no braces.
    """

    def __init__(
        self, redis: Redis, limits: LedgerLimits | None = None, namespace: str = NAMESPACE
    ) -> None:
        self._redis = redis
        self._limits = limits or LedgerLimits()
        self._namespace = namespace
        self._script = redis.register_script(_SCRIPT)

    async def apply(self, events: Sequence[ReceivedEvent], *, now: datetime) -> list[Outcome]:
        """Count events in their cells; see `LedgerWriter.apply`."""
        by_tenant: defaultdict[str, list[tuple[int, Booking]]] = defaultdict(list)
        for position, event in enumerate(events):
            booking = book(event)
            by_tenant[booking.tenant].append((position, booking))
        if by_tenant:
            with store_errors():
                await self._redis.sadd(tenants_key(self._namespace), *by_tenant)
        found = await self._apply_tenants(list(by_tenant.values()), now)
        return [found[position] for position in range(len(events))]

    async def _apply_tenants(
        self, groups: list[list[tuple[int, Booking]]], now: datetime
    ) -> dict[int, Outcome]:
        """All groups are tried, also when one fails; then the first error is raised."""
        bound = asyncio.Semaphore(MAX_TENANTS_AT_ONCE)

        async def apply_tenant(group: list[tuple[int, Booking]]) -> list[Outcome]:
            async with bound:
                with store_errors():
                    return await self._apply_tenant([booking for _, booking in group], now)

        results = await asyncio.gather(*map(apply_tenant, groups), return_exceptions=True)
        found: dict[int, Outcome] = {}
        for group, outcomes in zip(groups, results, strict=True):
            if isinstance(outcomes, BaseException):
                raise outcomes
            found.update(zip((position for position, _ in group), outcomes, strict=True))
        return found

    async def _apply_tenant(self, bookings: list[Booking], now: datetime) -> list[Outcome]:
        keys = TenantKeys(self._namespace, bookings[0].tenant)
        answers: list[bytes] = []
        for call in _calls(bookings):
            arguments = [*self._settings(keys, now), *_arguments(call)]
            answers += await self._script(keys=keys.of(call), args=arguments)
        outcomes: list[Outcome] = [cast("Outcome", answer.decode()) for answer in answers]
        await self._keep_aside(keys, bookings, outcomes)
        return outcomes

    def _settings(self, keys: TenantKeys, now: datetime) -> list[str]:
        limits, seconds = self._limits, now.timestamp()
        return [
            keys.prefix,
            str(round(limits.memory_s * 1000)),
            repr(seconds),
            repr(seconds + limits.memory_s),
            str(limits.billing_codes),
            str(limits.users_per_day),
            name_field(OVERFLOW),
        ]

    async def _keep_aside(
        self, keys: TenantKeys, bookings: list[Booking], outcomes: list[Outcome]
    ) -> None:
        """Keep what was not counted; a repetition has the same outcome and comes here again."""
        for booking, outcome in zip(bookings, outcomes, strict=True):
            if outcome in ("conflict", "late"):
                name = keys.kept_aside(outcome)
                await self._redis.hset(name, booking.key + booking.body, booking.raw)


def _calls(bookings: list[Booking]) -> Iterator[list[Booking]]:
    """Cut at least one booking into script calls that stay short."""
    call: list[Booking] = []
    counts = 0
    for booking in bookings:
        counts += len(booking.counts)
        if call and (len(call) == MAX_EVENTS_A_CALL or counts > MAX_COUNTS_A_CALL):
            yield call
            call, counts = [], len(booking.counts)
        call.append(booking)
    yield call


def _arguments(bookings: list[Booking]) -> Iterator[str | bytes]:
    for booking in bookings:
        yield booking.key
        yield booking.body
        yield _kind(booking)
        yield booking.hour
        yield from booking.beside
        yield booking.day
        yield name_field(booking.billing_code)
        yield name_field(booking.user)
        yield sku_field(booking.sku)
        yield "\n".join(f"{name_field(m)}\n{quantity}" for m, quantity in booking.counts.items())


def _kind(booking: Booking) -> str:
    if booking.completes:
        return "completion"
    return "open" if booking.completable else "plain"

"""Ledgers and their events, as tests of the ledger speak of them.

Name it in `pytest_plugins`, with `servers`, `certificates` and `redis_clusters`, to have a test run
on every ledger; it is imported as well (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from builders import NOON, raw_event

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.ledger.cells import MoneyCell, UserCell
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.ledger.outcome import LedgerLimits, Outcome
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.ledger.redis_reader import RedisReader
from tollgate.usage.event import ReceivedEvent, decode_event
from tollgate.usage.periods import Month
from tollgate.usage.tokens import Tokens

OCTOBER = Month(2026, 10)


class Cells(NamedTuple):
    money: list[MoneyCell]
    users: list[UserCell]


class Ledger(NamedTuple):
    """Both sides of one ledger."""

    writer: MemoryLedger | RedisLedger
    reader: MemoryLedger | RedisReader

    async def apply(self, *events: ReceivedEvent, now: datetime = NOON) -> list[Outcome]:
        return await self.writer.apply(events, now=now)

    def cells(self, month: Month = OCTOBER) -> Cells:
        return Cells(list(self.reader.money_cells(month)), list(self.reader.user_cells(month)))


def memory_ledger(limits: LedgerLimits | None = None) -> Ledger:
    both = MemoryLedger(limits)
    return Ledger(both, both)


@asynccontextmanager
async def redis_ledger(url: str, limits: LedgerLimits | None = None) -> AsyncGenerator[Ledger]:
    """A ledger on an emptied server."""
    async with open_redis(url) as writing:
        with open_redis_sync(url) as reading:
            reading.flushall()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
            yield Ledger(RedisLedger(writing, limits), RedisReader(reading))


def measured(event_id: str = "req-1", time: datetime = NOON, **changes: Any) -> ReceivedEvent:
    return decode_event(raw_event(event_id, time, **changes))


def pending(event_id: str = "req-1", time: datetime = NOON, **changes: Any) -> ReceivedEvent:
    return measured(event_id, time, **{"provenance": "pending", "tokens": None, **changes})


def completion(event_id: str = "req-1", time: datetime = NOON, **changes: Any) -> ReceivedEvent:
    tokens = Tokens(input=700, output=70)
    made = {"provenance": "backfilled", "tokens": tokens, "completes": True, **changes}
    return measured(event_id, time, **made)


OpenLedger = Callable[[LedgerLimits], Awaitable[Ledger]]


@pytest.fixture(params=["memory", "redis_server", "valkey_server", "redis_cluster"])
async def open_ledger(request: pytest.FixtureRequest) -> AsyncIterator[OpenLedger]:
    url = None if request.param == "memory" else request.getfixturevalue(request.param)

    async with AsyncExitStack() as opened:

        async def empty_ledger(limits: LedgerLimits) -> Ledger:
            if url is None:
                return memory_ledger(limits)
            return await opened.enter_async_context(redis_ledger(url, limits))

        yield empty_ledger


@pytest.fixture
async def ledger(open_ledger: OpenLedger) -> Ledger:
    return await open_ledger(LedgerLimits())


async def cells_after(ledger: Ledger, *events: ReceivedEvent) -> Cells:
    await ledger.apply(*events)
    return ledger.cells()

"""A ledger with its archive, as tests of rebuild and audit speak of them."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from builders import NOON
from ledgers import OCTOBER, Cells
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from accountant.audits.audit import Audit, Scope, audit
from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.ledger.archive import Archive
from tollgate.ledger.archive_files import archive_files
from tollgate.ledger.generation import CurrentLedger, current_reader
from tollgate.ledger.outcome import KeptAside, LedgerLimits, Outcome
from tollgate.ledger.rebuild import Rebuild, Rebuilt
from tollgate.ledger.recorded import Records
from tollgate.usage.event import ReceivedEvent

LATER = NOON + timedelta(days=2)


class Books(NamedTuple):
    """An archive and the ledger that is counted from it."""

    folder: Path
    redis: AsyncRedis
    reading: Redis
    limits: LedgerLimits | None

    async def take(self, events: Sequence[ReceivedEvent], now: datetime = LATER) -> list[Outcome]:
        """Archive, then count."""
        Archive(self.folder).append(events, now)
        return await self.apply(events, now)

    async def apply(self, events: Sequence[ReceivedEvent], now: datetime = LATER) -> list[Outcome]:
        return await CurrentLedger(self.redis, self.limits).apply(events, now=now)

    def cells(self) -> Cells:
        reader = current_reader(self.reading)
        return Cells(list(reader.money_cells(OCTOBER)), list(reader.user_cells(OCTOBER)))

    def aside(self) -> dict[str, KeptAside]:
        reader = current_reader(self.reading)
        return {tenant: reader.kept_aside(tenant) for tenant in reader.tenants()}

    def rebuild(self, now: datetime = LATER, settle_s: float = 0) -> Rebuild:
        scratch = Path(tempfile.mkdtemp(dir=self.folder.parent))
        options = {"limits": self.limits, "settle_s": settle_s}
        return Rebuild(self.redis, self.folder, scratch, lambda: now, **options)  # pyright: ignore[reportArgumentType]  a mixture

    async def rebuilt(self, now: datetime = LATER) -> Rebuilt:
        return await self.rebuild(now).run()

    def audited(self, now: datetime = LATER) -> Audit:
        scratch = Path(tempfile.mkdtemp(dir=self.folder.parent))
        records = Records(archive_files(self.folder), scratch, now)
        return audit(records, current_reader(self.reading), Scope(OCTOBER, now), scratch)


@asynccontextmanager
async def empty_books(url: str, limits: LedgerLimits | None = None) -> AsyncGenerator[Books]:
    """Books on an emptied server."""
    with tempfile.TemporaryDirectory() as folder, open_redis_sync(url) as reading:
        reading.flushall()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        archive = Path(folder) / "archive"
        archive.mkdir()
        async with open_redis(url) as redis:
            yield Books(archive, redis, reading, limits)

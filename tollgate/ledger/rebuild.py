"""Rebuilds the ledger from its archive, into a new generation that then replaces the old one.

1. The archive is counted anew (`recount`) and written into the new generation (`bulk_writer`).
   Until the switch nobody else reads or writes it; a rebuild that fails leaves the ledger as it
   was.
2. What was appended meanwhile is applied, then the new generation is put in force, and what was
   appended until then is applied once more: see `generation` for why nothing is lost. Capture
   writes its files only after minutes, so with Capture that goes on for `settle_s`.
3. The old generation is forgotten.

The ids of hours that lie further back than the ledger remembers are not written: an event of such
an hour that is delivered again, or for the first time, goes to the late list. Events that are in
the late list now are in the archive, so they are counted.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

import msgspec
from redis.asyncio import Redis

from tollgate.errors import DamagedFile, InvalidEvent
from tollgate.ledger.archive_files import ArchiveFile, archive_files, read_raw
from tollgate.ledger.bulk_writer import BulkWriter
from tollgate.ledger.generation import OLD_GENERATION_S, Generations, namespace_of
from tollgate.ledger.keys import NAMESPACE
from tollgate.ledger.outcome import LedgerLimits
from tollgate.ledger.recount import MAX_AHEAD, Recount
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.usage.event import ReceivedEvent, decode_event
from tollgate.usage.periods import hour_of

SETTLE_S: Final = 1800.0  # Capture may take as long to show what was received; audits say the same
_POLL_S: Final = 15.0
_TAIL_BATCH: Final = 500


class Progress(Protocol):
    """Is told how far a rebuild is."""

    def __call__(self, doing: str, done: int, total: int, /) -> None:
        """Say what is done of what there is to do, of some step."""
        ...


class Rebuilt(msgspec.Struct):
    """What a rebuild counted.

    Args:
        events: Events read, without those appended meanwhile.
        duplicates: How many of them changed nothing.
        conflicts: How many are kept aside.
        refused: What a hub received that an intake refuses.
        appended: Events read that were appended meanwhile; many may have been counted already.
        generation: The number of the new generation.
    """

    events: int = 0
    duplicates: int = 0
    conflicts: int = 0
    refused: int = 0
    appended: int = 0
    generation: int = 0


class Rebuild:
    """One rebuild of a ledger.

    Args:
        redis: A client that returns bytes.
        folder: The archive.
        scratch: An empty folder on a disk with as much room as the archive takes as JSON.
        clock: Says what time it is.
        limits: How much the ledger remembers.
        namespace: What the keys of all generations begin with.
    """

    def __init__(  # noqa: PLR0913  what it works on, and what it keeps to
        self,
        redis: Redis,
        folder: Path,
        scratch: Path,
        clock: Callable[[], datetime],
        *,
        limits: LedgerLimits | None = None,
        namespace: str = NAMESPACE,
        settle_s: float = SETTLE_S,
        progress: Progress | None = None,
    ) -> None:
        self._redis = redis
        self._folder = folder
        self._scratch = scratch
        self._clock = clock
        self._limits = limits or LedgerLimits()
        self._namespace = namespace
        self._settle_s = settle_s
        self._progress = progress or _say_nothing
        self._read: dict[Path, int] = {}  # how far each file was read, in bytes
        self._broken: dict[Path, DamagedFile] = {}
        self._rebuilt = Rebuilt()

    async def run(self) -> Rebuilt:
        """Rebuild, and return when the new generation is in force and complete.

        Raises:
            SettingsError: There is no archive.
            InvalidEvent, DamagedFile: The archive cannot be read; nothing changed.
            Superseded: Another rebuild began meanwhile; nothing changed.
            StoreUnavailable: Redis did not answer. Rebuild again.
        """
        files = archive_files(self._folder)
        generations = Generations(self._redis, self._namespace)
        old = await generations.current()
        new = self._rebuilt.generation = await generations.begin()
        try:
            with _collected_by_hand():
                await self._fill(files, new)
            await self._catch_up(new)
            await generations.switch(new)
        except BaseException:
            await generations.remove(new)
            raise
        await self._settle(new)
        await generations.remove(old, after_s=OLD_GENERATION_S)
        return self._rebuilt

    async def _fill(self, files: list[ArchiveFile], generation: int) -> None:
        now = self._clock()
        kept_since = hour_of(now - timedelta(seconds=self._limits.memory_s))
        recount = Recount(files, self._scratch, kept_since, now)
        writer = BulkWriter(
            self._redis,
            namespace_of(generation, self._namespace),
            self._limits,
            now_s=now.timestamp(),
            kept_since=kept_since,
        )
        read = 0
        for part in recount.parts():
            part.sums.finish()
            await writer.add(part.sums.money, part.sums.users)
            await writer.keep_pairs(part.pairs)
            await writer.keep_aside(part.conflicts)
            self._rebuilt.events += part.events
            self._rebuilt.duplicates += part.duplicates
            self._rebuilt.conflicts += len(part.conflicts)
            self._rebuilt.refused += part.refused
            read += part.files
            gc.collect()
            self._progress("files read", read, len(files))
        for span, by_tenant in recount.ids.spans():
            await writer.remember(span, by_tenant)
        self._read = {file.path: file.size for file in files}

    async def _settle(self, generation: int) -> None:
        """Apply what writers added to the old generation before they saw the new one."""
        began = self._clock()
        while await self._catch_up(generation):
            waited_s = (self._clock() - began).total_seconds()
            if waited_s >= self._settle_s:
                return await self._end(generation)
            self._progress("seconds waited for Capture", round(waited_s), round(self._settle_s))
            await asyncio.sleep(min(_POLL_S, self._settle_s - waited_s))
        return None

    async def _end(self, generation: int) -> None:
        await self._catch_up(generation)
        for path, error in self._broken.items():
            raise DamagedFile(
                f"the ledger is rebuilt but for {path}: {error}; then `tollgate ingest` it"
            )

    async def _catch_up(self, generation: int) -> bool:
        """Apply what was appended since the archive was read last; twice is the same as once.

        Returns:
            Whether Capture may still show events that it has now.
        """
        ledger = RedisLedger(self._redis, self._limits, namespace_of(generation, self._namespace))
        files = archive_files(self._folder)
        self._broken = {}
        for file in files:
            if self._read.get(file.path) != file.size:
                await self._apply(file, ledger)
        return any(file.is_capture for file in files)

    async def _apply(self, file: ArchiveFile, ledger: RedisLedger) -> None:
        try:
            for batch in _batches(self._appended(file)):
                await ledger.apply(batch, now=self._clock())
        except DamagedFile as error:  # it may be there in part only, yet
            self._broken[file.path] = error
        else:
            self._read[file.path] = file.size

    def _appended(self, file: ArchiveFile) -> Iterator[ReceivedEvent]:
        start = 0 if file.is_capture else self._read.get(file.path, 0)
        latest = self._clock() + MAX_AHEAD
        for number, raw in read_raw(file, start):
            try:
                event = decode_event(raw.rstrip(b"\n"))
            except InvalidEvent as error:
                if not file.is_capture:
                    where = f"{file.path}, line {number} after byte {start}"
                    raise InvalidEvent(f"{where}: {error}") from None
                continue
            if event.event.time <= latest or not file.is_capture:
                self._rebuilt.appended += 1
                yield event


def _batches(events: Iterator[ReceivedEvent]) -> Iterator[list[ReceivedEvent]]:
    while batch := list(islice(events, _TAIL_BATCH)):
        yield batch


@contextmanager
def _collected_by_hand() -> Generator[None]:
    """Python looks for cycles whenever objects become many, which here they do by design.

    That would take a tenth of the time; there are hardly any cycles to be found.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _say_nothing(doing: str, done: int, total: int) -> None:
    del doing, done, total

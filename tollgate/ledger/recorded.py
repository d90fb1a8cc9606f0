"""All events of an archive by key, settled: what an audit and a trace look at.

Apart from `recount`, which a rebuild uses, so that one judges the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from tollgate.errors import DamagedFile, InvalidEvent
from tollgate.ledger.archive_files import ArchiveFile, read_raw
from tollgate.ledger.booking import Booking, book
from tollgate.ledger.pieces import Pieces
from tollgate.ledger.recount import MAX_AHEAD, estimated_bytes, on_one_line
from tollgate.usage.event import ReceivedEvent, decode_event

Wanted = Callable[[ReceivedEvent], bool]


class Recorded(msgspec.Struct, frozen=True):
    """The events of one key, of any tenants, the first recorded first."""

    bookings: list[Booking]

    def by_tenant(self) -> Iterator[list[Booking]]:
        """Those of each tenant."""
        tenants: defaultdict[str, list[Booking]] = defaultdict(list)
        for booking in self.bookings:
            tenants[booking.tenant].append(booking)
        yield from tenants.values()


class Records:
    """Reads an archive by key.

    Args:
        files: In the order of recording.
        folder: An empty folder for what does not fit in memory: about as much as the archive.
        now: The time; events of a hub that lie further ahead than an intake takes are left out.
        progress: Is told how many files are read, of how many.

    Attributes:
        problems: What could not be read, in words, once it was tried.
    """

    def __init__(
        self,
        files: Sequence[ArchiveFile],
        folder: Path,
        now: datetime,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.problems: list[str] = []
        self._files = files
        self._latest = now + MAX_AHEAD
        self._progress = progress
        self._pieces = Pieces(folder, estimated_bytes(files))

    def by_key(self, wanted: Wanted = lambda _: True) -> Iterator[Recorded]:
        """The events that are wanted, all of a key at once."""
        for done, file in enumerate(self._files, start=1):
            self._add(file, wanted)
            if self._progress:
                self._progress(done, len(self._files))
        for piece in range(self._pieces.count):
            groups: defaultdict[bytes, list[Booking]] = defaultdict(list)
            for _, line in self._pieces.all(piece):
                booking = book(decode_event(line))
                groups[booking.key].append(booking)
            yield from map(Recorded, groups.values())

    def _add(self, file: ArchiveFile, wanted: Wanted) -> None:
        try:
            for number, line in read_raw(file):
                event = self._decoded(file, number, line)
                if event and wanted(event):
                    self._pieces.add(event.event.id, on_one_line(event.raw))
        except DamagedFile as error:
            self.problems.append(str(error))

    def _decoded(self, file: ArchiveFile, number: int, line: bytes) -> ReceivedEvent | None:
        try:
            event = decode_event(line.rstrip(b"\n"))
        except InvalidEvent as error:
            if not file.is_capture:
                self.problems.append(f"{file.place(number)}: {error}")
            return None
        return event if event.event.time <= self._latest or not file.is_capture else None

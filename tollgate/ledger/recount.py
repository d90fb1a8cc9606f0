"""Counts an archive anew, in memory that does not grow with it.

An event whose key is the only one of its kind counts for what it says, and nearly all are. So each
is counted at once, as if it were alone. Events that share a key are found afterwards, piece by
piece, and settled together; what they come to, less what was counted for them, is the correction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from tollgate.errors import InvalidEvent
from tollgate.ledger.archive_files import ArchiveFile, read_raw
from tollgate.ledger.booking import Booking, book, kind_of
from tollgate.ledger.id_buckets import record
from tollgate.ledger.id_spool import IdSpool
from tollgate.ledger.keys import span_of
from tollgate.ledger.pieces import Pieces
from tollgate.ledger.row_sums import RowSums
from tollgate.ledger.same_key import Count, Pair, Settled, settle
from tollgate.usage.event import ReceivedEvent, decode_event, decode_usage

MAX_AHEAD: Final = timedelta(minutes=10)  # Contract 2; what an intake would refuse
_EVENTS_AT_ONCE: Final = 50_000
_RECENT: Final = 10_000  # events in which a repetition is looked for at once
_AVRO_EXPANDS: Final = 8  # about; deflated JSON


class Part(msgspec.Struct, kw_only=True):
    """What some of the events come to; parts add up.

    Args:
        sums: Changes of the cells.
        pairs: What is now known of pending events and completions, by tenant and key; None is none.
        conflicts: Events that are not counted, as the first with their key stands.
        events: How many were read.
        duplicates: How many of them changed nothing.
        refused: How many a hub received that an intake refuses.
        files: How many files were read to their end.
    """

    sums: RowSums
    pairs: dict[tuple[str, bytes], Pair | None] = {}
    conflicts: list[Booking] = []
    events: int = 0
    duplicates: int = 0
    refused: int = 0
    files: int = 0


class Recount:
    """One pass over the files of an archive.

    Args:
        files: In the order of recording.
        folder: An empty folder for what does not fit in memory: about as much as the archive.
        kept_since: The first hour whose ids are wanted.
        now: The time; events of a hub that lie further ahead than an intake takes are refused.
    """

    def __init__(
        self, files: Sequence[ArchiveFile], folder: Path, kept_since: str, now: datetime
    ) -> None:
        self.ids = IdSpool(folder)
        self._files = files
        self._kept_since = kept_since
        self._latest = now + MAX_AHEAD
        self._recent: dict[str, bytes] = {}
        self._older: dict[str, bytes] = {}
        self._pieces = Pieces(folder, estimated_bytes(files))

    def parts(self) -> Iterator[Part]:
        """First what the events come to alone, then what is to correct; `ids` is filled meanwhile.

        Raises:
            InvalidEvent, DamagedFile: See `read_events`.
        """
        part = Part(sums=RowSums())
        for file in self._files:
            for number, line in read_raw(file):
                try:
                    self._count(line, file, part)
                except InvalidEvent as error:
                    if not file.is_capture:
                        raise InvalidEvent(f"{file.place(number)}: {error}") from None
                    part.refused += 1
                if part.events == _EVENTS_AT_ONCE:
                    yield part
                    part = Part(sums=RowSums())
            part.files += 1
        yield part
        for piece in range(self._pieces.count):
            yield self._corrected(piece)

    def _count(self, line: bytes, file: ArchiveFile, part: Part) -> None:
        received = decode_event(line) if file.since >= self._kept_since else None
        event = received.event if received else decode_usage(line)
        event_id, recent = event.id, self._recent
        part.events += 1
        if (recent.get(event_id) or self._older.get(event_id)) == line:
            part.duplicates += 1  # byte for byte; most repetitions follow soon
            return
        recent[event_id] = line
        if len(recent) == _RECENT:
            self._older, self._recent = recent, {}
        if file.is_capture:
            if event.time > self._latest:
                raise InvalidEvent("its time lies in the future")
            line = on_one_line(line)
        hour = part.sums.add(event)
        self._pieces.add(event_id, line)
        if hour >= self._kept_since:
            self._remember(received or decode_event(line), hour, part)

    def _remember(self, received: ReceivedEvent, hour: str, part: Part) -> None:
        data = received.event.data
        each = record(received.key, received.body, hour, completes=data.completes)
        self.ids.add(data.tenant, span_of(hour), each)
        if kind_of(data) != "plain":
            part.pairs[data.tenant, received.key] = settle([book(received)]).pair

    def _corrected(self, piece: int) -> Part:
        part = Part(sums=RowSums())
        groups: defaultdict[tuple[str, bytes], list[Booking]] = defaultdict(list)
        for _, line in self._pieces.repeated(piece):
            booking = book(decode_event(line))
            groups[booking.tenant, booking.key].append(booking)
        for key, bookings in groups.items():
            if len(bookings) > 1:
                self._correct(key, bookings, part)
        return part

    def _correct(self, key: tuple[str, bytes], bookings: list[Booking], part: Part) -> None:
        settled = settle(bookings)
        for count, sign in _corrections(bookings, settled):
            part.sums.correct(count, sign)
        part.duplicates += settled.duplicates
        part.conflicts += settled.conflicts
        for each in settled.conflicts:
            dropped = record(each.key, each.body, each.hour, completes=each.completes)
            self.ids.drop(each.tenant, span_of(each.hour), dropped)
        is_kept = any(each.hour >= self._kept_since for each in bookings)
        if is_kept and any(each.completable or each.completes for each in bookings):
            part.pairs[key] = settled.pair


def estimated_bytes(files: Sequence[ArchiveFile]) -> int:
    """About how much the events of files take as JSON."""
    return sum(file.size * (_AVRO_EXPANDS if file.is_capture else 1) for file in files)


def on_one_line(event: bytes) -> bytes:
    """An event as JSON that holds no line end, and one behind it."""
    if b"\n" in event:
        event = msgspec.json.format(event, indent=-1)
    return event + b"\n"


def _corrections(bookings: list[Booking], settled: Settled) -> Iterator[tuple[Count, int]]:
    """What makes of events that were counted alone what they come to together."""
    stays = {id(count.place) for count in settled.counts if count.place is count.usage}
    for booking in bookings:
        if id(booking) not in stays:
            yield Count(booking, booking), -1
    for count in settled.counts:
        if count.place is not count.usage:
            yield count, 1

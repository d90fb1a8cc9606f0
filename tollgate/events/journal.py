"""The local journal: every event is here before the client's last byte, and leaves when published.

A line is in the page cache: it survives the death of the process, not of the machine. An event
that the disk does not take is held in memory, and published from there.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Iterator
from itertools import accumulate, takewhile
from pathlib import Path
from typing import Final

import msgspec

from tollgate.events.mapped_segment import MappedSegment
from tollgate.events.refused import set_aside
from tollgate.events.segments import (
    BEGUN,
    EVENT,
    guarded,
    lock_path,
    read_lines,
    segment_path,
    split_lines,
    try_lock,
)
from tollgate.usage.event import UsageEvent, encode_event

# What a killed process left of a segment is published again as a whole, so a segment is small.
DEFAULT_SEGMENT_BYTES: Final = 1024 * 1024
_log: Final = logging.getLogger(__name__)


class Batch(msgspec.Struct, frozen=True):
    """Events to be published, oldest first, and the place in the journal behind them.

    Args:
        events: Encoded CloudEvents.
        segment: The segment that the rest begins in, at `offset`.
        held: How many of the events are from memory.
    """

    events: list[bytes]
    segment: int
    offset: int
    held: int = 0


class Journal:
    """One process's journal. Not for several threads.

    Args:
        folder: Where the segments lie; made if it is not there.
        segment_bytes: The size of a segment.
        on_append: Called after each event, to wake who publishes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = DEFAULT_SEGMENT_BYTES,
        on_append: Callable[[], None] = lambda: None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._on_append = on_append
        self.writer = secrets.token_hex(8)
        self._held: list[bytes] = []  # events that the disk did not take
        self._open_requests: dict[str, int] = {}  # request id -> segment of its begun line
        self._first, self._last = 0, 0  # segments that are still there
        self._read_segment, self._read_offset = 0, 0
        self._depth = 0
        with guarded(folder):
            self._lock = try_lock(lock_path(folder, self.writer))
            self._segment = self._open_segment(0, segment_bytes)

    @property
    def depth(self) -> int:
        """How many events wait to be published."""
        return self._depth

    @property
    def holds_in_memory(self) -> bool:
        """Whether there are events that the disk did not take."""
        return bool(self._held)

    def begin(self, request_id: str, event: bytes) -> None:
        """Note that a request goes upstream; `event`, encoded, stands for it if nothing follows."""
        self._append(BEGUN, event)
        self._open_requests[request_id] = self._last

    def record(self, event: UsageEvent) -> None:
        """Keep an event until it is published."""
        self.record_raw(encode_event(event))
        self._open_requests.pop(event.id, None)

    def record_raw(self, event: bytes) -> None:
        """Keep an event that is already encoded."""
        try:
            self._append(EVENT, event)
        except OSError as error:
            self._held.append(event)
            _log.critical("the journal cannot be written (%s): events are only in memory", error)
        self._depth += 1
        self._on_append()

    def next_batch(self, max_events: int, max_bytes: int) -> Batch:
        """The oldest events that are not yet published; the same ones until they are committed."""
        self._write_held()
        segment, offset, size = self._read_segment, self._read_offset, 0
        if held := _first(self._held[:max_events], max_bytes):
            return Batch(held, segment, offset, len(held))
        events: list[bytes] = []
        while True:
            for kind, event, behind in self._lines(segment, offset):
                if kind == EVENT:
                    size += len(event)
                    if events and (size > max_bytes or len(events) == max_events):
                        return Batch(events, segment, offset)
                    events.append(event)
                offset = behind
            if segment == self._last:
                return Batch(events, segment, offset)
            segment, offset = segment + 1, 0

    def commit(self, batch: Batch) -> None:
        """The batch is published: forget it, and the segments that are done with."""
        self._read_segment, self._read_offset = batch.segment, batch.offset
        del self._held[: batch.held]
        self._depth -= len(batch.events)
        needed = min([self._read_segment, *self._open_requests.values()])
        while self._first < needed:
            segment_path(self.folder, self.writer, self._first).unlink(missing_ok=True)
            self._first += 1

    def set_aside(self, event: bytes) -> None:
        """Keep an event that the broker refuses, beside the journal."""
        set_aside(self.folder, event)

    def close(self) -> None:
        """Close the files; what is not published stays for the next start."""
        self._write_held()
        if self._held:
            _log.critical("%d events are lost: the journal cannot be written", len(self._held))
        self._segment.close()
        with guarded(self.folder):
            if not self._depth and not self._open_requests:
                for number in range(self._first, self._last + 1):
                    segment_path(self.folder, self.writer, number).unlink(missing_ok=True)
                lock_path(self.folder, self.writer).unlink(missing_ok=True)
            if self._lock is not None:
                os.close(self._lock)

    def _write_held(self) -> None:
        """Bring to the disk what it did not take before, as far as it takes it now."""
        while self._held:
            try:
                self._append(EVENT, self._held[0])
            except OSError:
                return
            del self._held[0]

    def _append(self, kind: bytes, event: bytes) -> None:
        line = kind + b" " + event
        if not self._segment.append(line):
            self._roll_over(len(line) + 1)
            self._segment.append(line)

    def _roll_over(self, needed_bytes: int) -> None:
        number = self._last + 1
        following = self._open_segment(number, max(self._segment_bytes, needed_bytes))
        full, self._segment, self._last = self._segment, following, number
        full.close()

    def _open_segment(self, number: int, size: int) -> MappedSegment:
        return MappedSegment(segment_path(self.folder, self.writer, number), size)

    def _lines(self, segment: int, offset: int) -> Iterator[tuple[bytes, bytes, int]]:
        if segment == self._last:
            return split_lines(self._segment.read(offset), offset)
        return read_lines(segment_path(self.folder, self.writer, segment), offset)


def _first(events: list[bytes], max_bytes: int) -> list[bytes]:
    """As many of them as one batch takes, but one at least."""
    sizes = accumulate(map(len, events))
    count = sum(1 for _ in takewhile(lambda size: size <= max_bytes, sizes))
    return events[: max(count, 1)]

"""The archive: every valid event received, duplicates included, as JSON Lines by hour.

    YYYY/MM/DD/HH.jsonl        by the event's own time, UTC

It is written before the cells, and they can be rebuilt from it (`rebuild`); `archive_files` reads
it, `manifest` seals it. The CloudEvents attribute `archivedtime` says when a line was written: of
two events that contradict each other in files of two hours, it tells which came first.
"""

from __future__ import annotations

import fcntl
import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from tollgate.ledger.archive_files import TORN
from tollgate.usage.event import MAX_EVENT_BYTES, ReceivedEvent

_STAMP: Final = b',"archivedtime":"%b"'


class Archive:
    """An archive in a directory; several processes may append to it.

    Args:
        directory: Made when the first event is appended.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def append(self, events: Sequence[ReceivedEvent], now: datetime | None = None) -> None:
        """Append events and wait until they are on disk: one write per hour's file.

        Args:
            events: In the order of their arrival.
            now: When they came, UTC; without it their lines do not say that.

        Raises:
            OSError: Some events may not be archived. Repeat the call with all of them.
        """
        by_file: defaultdict[Path, list[bytes]] = defaultdict(list)
        stamp = b"" if now is None else _STAMP % now.isoformat("T", "microseconds").encode()
        for event in events:
            by_file[self._file(event)].append(_line(event, stamp))
        for file, lines in by_file.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            _append(file, b"".join(lines))

    def _file(self, event: ReceivedEvent) -> Path:
        time = event.event.time
        day = self._directory / f"{time.year:04d}" / f"{time.month:02d}" / f"{time.day:02d}"
        return day / f"{time.hour:02d}.jsonl"


def _line(event: ReceivedEvent, stamp: bytes) -> bytes:
    """The event as received but for white space: every member and digit stays; then the stamp."""
    line = msgspec.json.format(event.raw, indent=-1)
    if len(line) + len(stamp) > MAX_EVENT_BYTES:  # it could not be read again
        stamp = b""
    return (line[:-1] + stamp + b"}\n") if stamp else line + b"\n"


def _append(file: Path, lines: bytes) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        # From the look at the end of the file to the write behind it nobody else may write: a
        # crash could leave half a line there. The lock ends with the process that has it.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_torn(descriptor):
            lines = TORN + lines
        written = os.write(descriptor, lines)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if written != len(lines):
        raise OSError(f"{file}: {written} of {len(lines)} bytes written; is the disk full?")


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"

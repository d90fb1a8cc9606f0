"""The archive: every valid event received, duplicates included, as JSON Lines by hour.

    YYYY/MM/DD/HH.jsonl        by the event's own time, UTC

It is written before the cells, and they can be rebuilt from it (`rebuild`); `archive_files` reads
it, `manifest` seals it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tollgate.ledger.archive_files import TORN
from tollgate.usage.event import ReceivedEvent


class Archive:
    """An archive in a directory; several processes may append to it.

    Args:
        directory: Made when the first event is appended.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def append(self, events: Sequence[ReceivedEvent]) -> None:
        """Append events and wait until they are on disk: one write per hour's file.

        Raises:
            OSError: Some events may not be archived. Repeat the call with all of them.
        """
        by_file: defaultdict[Path, list[bytes]] = defaultdict(list)
        for event in events:
            by_file[self._file(event)].append(_line(event))
        for file, lines in by_file.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            _append(file, b"".join(lines))

    def _file(self, event: ReceivedEvent) -> Path:
        time = event.event.time
        day = self._directory / f"{time.year:04d}" / f"{time.month:02d}" / f"{time.day:02d}"
        return day / f"{time.hour:02d}.jsonl"


def _line(event: ReceivedEvent) -> bytes:
    """The event as received but for white space: every member and digit stays."""
    return msgspec.json.format(event.raw, indent=-1) + b"\n"


def _append(file: Path, lines: bytes) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        if _is_torn(descriptor):
            lines = TORN + lines
        written = os.write(descriptor, lines)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if written != len(lines):
        raise OSError(f"{file}: {written} of {len(lines)} bytes written; is the disk full?")


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"

"""The archive: every valid event received, duplicates included, as JSON Lines by hour.

    YYYY/MM/DD/HH.jsonl        by the event's own time, UTC

It is written before the cells, and they can be rebuilt from it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tollgate.errors import InvalidEvent
from tollgate.usage.event import ReceivedEvent, decode_event
from tollgate.usage.periods import Month

# Ends a line that a crash or a full disk cut short. Its event was never acknowledged, so it came
# again. No JSON line ends like this.
_TORN: Final = b" torn\n"


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

    def read(self, month: Month) -> Iterator[ReceivedEvent]:
        """The month's events by hour, in the order in which they were appended.

        Raises:
            InvalidEvent: A line is not a usage event; the message says which.
        """
        folder = self._directory / f"{month.year:04d}" / f"{month.month:02d}"
        for file in sorted(folder.glob("[0-9][0-9]/[0-9][0-9].jsonl")):
            yield from _read(file)

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
            lines = _TORN + lines
        written = os.write(descriptor, lines)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if written != len(lines):
        raise OSError(f"{file}: {written} of {len(lines)} bytes written; is the disk full?")


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _read(file: Path) -> Iterator[ReceivedEvent]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n") or line.endswith(_TORN):
                continue
            try:
                yield decode_event(line[:-1])
            except InvalidEvent as error:
                raise InvalidEvent(f"{file}, line {number}: {error}") from None

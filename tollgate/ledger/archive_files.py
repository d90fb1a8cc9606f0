"""The files of an archive, in any mixture: JSON Lines by hour, and Event Hubs Capture's Avro.

    …/YYYY/MM/DD/HH.jsonl                         an hour of event time, as `Archive` appends it
    …/NAMESPACE/HUB/PARTITION/YYYY/MM/DD/HH/mm/ss.avro   a window of arrival, as Capture writes it

Capture's folders may be named in another order; then only which of two contradicting events came
first is no longer known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tollgate.errors import InvalidEvent, SettingsError
from tollgate.ledger.capture import bodies, read_capture_file
from tollgate.usage.event import ReceivedEvent, decode_event

# Ends a line that a crash or a full disk cut short. Its event was never acknowledged, so it came
# again. No JSON line ends like this.
TORN: Final = b" torn\n"

_HOUR: Final = re.compile(r"(\d{4})/(\d\d)/(\d\d)/(\d\d)\.jsonl$")
_WINDOW: Final = re.compile(r"(\d{4})\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)(?!\d)")
_AVRO: Final = ".avro"
_BLOCK: Final = 65_536


class ArchiveFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the archive as it was when it was found; more may be appended to it later.

    Args:
        path: Where it is.
        since: The hour, `YYYY-MM-DDTHH`, from which on its events are: of their own time in JSON
            Lines, of their arrival in Capture. "" where the path does not say.
        order: What the files sort by, so that the first recorded comes first.
        size: In bytes; of JSON Lines as far as its last whole line.
        is_capture: Whether it is Avro, not JSON Lines.
    """

    path: Path
    since: str
    order: str
    size: int
    is_capture: bool

    def place(self, number: int) -> str:
        """A line or event of it, in words."""
        return f"{self.path}, {'event' if self.is_capture else 'line'} {number}"


def archive_files(folder: Path) -> list[ArchiveFile]:
    """All files of an archive, in the order in which they were recorded.

    Raises:
        SettingsError: There is no such folder.
    """
    if not folder.is_dir():
        raise SettingsError([f"{folder}: is no folder, so no archive is there"])
    found = (_file(path) for path in folder.rglob("*") if path.suffix in (_AVRO, ".jsonl"))
    return sorted((file for file in found if file), key=lambda file: (file.order, file.path))


def read_raw(file: ArchiveFile, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The events of a file as received, each with its number in the file; without what is torn.

    Args:
        file: Read no further than it was long when it was found.
        start: From which byte on; only for JSON Lines, where it begins a line.

    Raises:
        DamagedFile: A Capture file breaks off; what stands before was read.
    """
    if file.is_capture:
        captured = (body for each in read_capture_file(file.path) for body in bodies(each))
        yield from enumerate(captured, start=1)
        return
    with file.path.open("rb") as lines:
        lines.seek(start)
        position = start
        for number, line in enumerate(lines, start=1):
            position += len(line)
            if position > file.size:
                return
            if not line.endswith(TORN):
                yield number, line


def read_events(files: Iterable[ArchiveFile]) -> Iterator[ReceivedEvent]:
    """The events of files, decoded.

    Raises:
        InvalidEvent: A line is not a usage event; the message says which. What a hub received and
            an intake refuses is left out.
        DamagedFile: As `read_raw`.
    """
    for file in files:
        for number, raw in read_raw(file):
            try:
                yield decode_event(raw.rstrip(b"\n"))
            except InvalidEvent as error:
                if not file.is_capture:
                    raise InvalidEvent(f"{file.place(number)}: {error}") from None


def _file(path: Path) -> ArchiveFile | None:
    is_capture = path.suffix == _AVRO
    found = (_WINDOW if is_capture else _HOUR).search(path.absolute().as_posix())
    if not is_capture and not found:
        return None
    digits: list[str] = list(found.groups()) if found else []
    return ArchiveFile(
        path=path,
        since=f"{'-'.join(digits[:3])}T{digits[3]}" if found else "",
        order="".join(digits).ljust(14, "0"),
        size=path.stat().st_size if is_capture else _whole_lines(path),
        is_capture=is_capture,
    )


def _whole_lines(path: Path) -> int:
    """How many bytes a file has up to its last line end."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(end - _BLOCK, 0)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0

"""The manifest of an archive by hour: a chain of digests that shows what was changed afterwards.

    manifest.jsonl     one entry a line, each with the digest of the line before it

`seal` adds an entry for each hour that lies far enough back: file, the bytes from where to where,
how many lines, and their SHA-256. What is appended to an hour after that gets an entry of its own
at the next `seal`, so late events break nothing. The manifest is written aside, then renamed.

A chain shows what was changed, removed or put in between. That its end was cut off shows only to
who knows its last digest: note the one that `audit` prints.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from tollgate.errors import DamagedFile
from tollgate.ledger.archive_files import TORN, ArchiveFile, archive_files
from tollgate.usage.periods import hour_of

NAME: Final = "manifest.jsonl"
SEAL_AFTER: Final = timedelta(hours=2)
_START: Final = "0" * 64
_BLOCK: Final = 1 << 20


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of an hour's file as it was sealed.

    Args:
        file: Its path in the archive, with `/`.
        start: The first byte; `end` is the one after the last.
        lines: How many events there are in it.
        sha256: Of the bytes.
        sealed: When, RFC 3339.
        previous: The digest of the entry before; zeros before the first.
    """

    file: str
    start: int
    end: int
    lines: int
    sha256: str
    sealed: str
    previous: str


class Checked(msgspec.Struct, frozen=True):
    """What a manifest says of its archive.

    Args:
        breaks: Whatever is not as it was sealed, in words.
        unsealed: Files that are not sealed yet, or not to their end.
        head: The digest of the last entry.
    """

    breaks: list[str]
    unsealed: list[str]
    head: str


def seal(folder: Path, now: datetime) -> list[Entry]:
    """Add what is not sealed of the hours that lie back far enough, and return the new entries.

    Raises:
        SettingsError: There is no archive.
        DamagedFile: The manifest cannot be read; it is as it was.
        OSError: The manifest is as it was.
    """
    before = hour_of(now - SEAL_AFTER)
    with _locked(folder):
        text = _read(folder)
        ends = _ends(text)
        head = _digest(text.splitlines()[-1]) if text else _START
        entries: list[Entry] = []
        for file in _hours(folder):
            start = ends.get(_name(folder, file), 0)
            if file.since < before and file.size > start:
                entry = _sealed(folder, file, start, (now, head))
                entries.append(entry)
                head = _digest(msgspec.json.encode(entry))
        if entries:
            _write(folder, text + b"".join(msgspec.json.encode(each) + b"\n" for each in entries))
    return entries


def check(folder: Path, now: datetime) -> Checked:
    """Compare an archive with its manifest."""
    text = _read(folder)
    breaks: list[str] = []
    head = _START
    ends: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except msgspec.MsgspecError:
            breaks.append(f"{NAME}, line {number}: is no entry of a manifest")
        else:
            where = f"{NAME}, line {number}"
            if entry.previous != head:
                breaks.append(f"{where}: the line before it was changed, removed or put in")
            if entry.start != ends.get(entry.file, 0):
                breaks.append(f"{where}: does not begin where {entry.file} was sealed to")
            ends[entry.file] = entry.end
            breaks += _changed(folder, entry)
        head = _digest(line)
    return Checked(breaks, _unsealed(folder, ends, now), head)


def _changed(folder: Path, entry: Entry) -> list[str]:
    path = folder / entry.file
    if not path.is_file():
        return [f"{entry.file}: is gone, with {entry.lines} events"]
    if path.stat().st_size < entry.end:
        return [f"{entry.file}: is shorter than it was sealed"]
    digest, lines = _contents(path, entry.start, entry.end)
    if (digest, lines) != (entry.sha256, entry.lines):
        return [f"{entry.file}: was changed between bytes {entry.start} and {entry.end}"]
    return []


def _unsealed(folder: Path, ends: dict[str, int], now: datetime) -> list[str]:
    before = hour_of(now - SEAL_AFTER)
    return [
        f"{name}, from byte {ends.get(name, 0)} on"
        for file in _hours(folder)
        if (name := _name(folder, file)) and file.size > ends.get(name, 0) and file.since < before
    ]


def _sealed(folder: Path, file: ArchiveFile, start: int, when: tuple[datetime, str]) -> Entry:
    digest, lines = _contents(file.path, start, file.size)
    now, previous = when
    return Entry(
        file=_name(folder, file),
        start=start,
        end=file.size,
        lines=lines,
        sha256=digest,
        sealed=now.isoformat(timespec="seconds"),
        previous=previous,
    )


def _contents(path: Path, start: int, end: int) -> tuple[str, int]:
    """The SHA-256 of some bytes of a file, and how many events stand in them."""
    digest, lines = hashlib.sha256(), 0
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(min(_BLOCK, end - file.tell())):
            digest.update(block)
        file.seek(start)
        for line in file:
            if file.tell() > end:
                break
            lines += not line.endswith(TORN)
    return digest.hexdigest(), lines


def _hours(folder: Path) -> list[ArchiveFile]:
    return [file for file in archive_files(folder) if not file.is_capture]


def _name(folder: Path, file: ArchiveFile) -> str:
    return file.path.relative_to(folder).as_posix()


def _ends(text: bytes) -> dict[str, int]:
    try:
        entries = msgspec.json.Decoder(Entry).decode_lines(text)
    except msgspec.MsgspecError as error:
        raise DamagedFile(f"{NAME}: {error}; see: accountant audit") from None
    return {entry.file: entry.end for entry in entries}


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _read(folder: Path) -> bytes:
    path = folder / NAME
    return path.read_bytes() if path.exists() else b""


def _write(folder: Path, text: bytes) -> None:
    aside = folder / f".{NAME}.new"
    with aside.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / NAME)


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """One process at a time seals."""
    with (folder / f".{NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

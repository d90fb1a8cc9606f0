"""The journal's files: append-only lines, in numbered segments of one writer each, then NULs.

A writer holds a lock on `<writer>.lock` for as long as it lives, so that whoever finds the lock
free knows that the segments beside it were left behind. Writers come, go and take over one at a
time, under the folder's guard: between making a lock's file and locking it, nobody looks.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BEGUN: Final = b"B"  # a request that went upstream: the event that stands for it if nothing follows
EVENT: Final = b"E"  # an event to be published

_LOCK_SUFFIX: Final = ".lock"
_GUARD: Final = "guard"


def segment_path(folder: Path, writer: str, number: int) -> Path:
    """Where a segment lies."""
    return folder / f"{writer}-{number:08d}.jsonl"


def lock_path(folder: Path, writer: str) -> Path:
    """Where a writer's lock lies."""
    return folder / f"{writer}{_LOCK_SUFFIX}"


@contextmanager
def guarded(folder: Path, name: str = _GUARD) -> Generator[None]:
    """Keep other processes from starting, ending or taking over in this folder meanwhile.

    Args:
        folder: The journal's.
        name: Of the file that is locked; another one guards other things.
    """
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def writers(folder: Path) -> list[str]:
    """Every writer that has a lock or a segment in the folder."""
    locks = {path.name.removesuffix(_LOCK_SUFFIX) for path in folder.glob(f"*{_LOCK_SUFFIX}")}
    return sorted(locks | {path.name.rpartition("-")[0] for path in folder.glob("*-*.jsonl")})


def try_lock(path: Path) -> int | None:
    """Take a lock, or return None if someone holds it.

    Returns:
        The file descriptor; the lock ends when it is closed, or with the process.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def read_lines(path: Path, offset: int = 0) -> Iterator[tuple[bytes, bytes, int]]:
    """The whole lines of a segment from `offset` on; a torn last line is left out.

    Yields:
        The kind, the event's JSON, and the offset behind the line.
    """
    with path.open("rb") as segment:
        segment.seek(offset)
        written = segment.read()
    return split_lines(written.rstrip(b"\0"), offset)


def split_lines(written: bytes, offset: int) -> Iterator[tuple[bytes, bytes, int]]:
    """The same of what stands at `offset` of a segment."""
    lines = written.split(b"\n")
    lines.pop()  # a torn line, or nothing
    for line in lines:
        offset += len(line) + 1
        yield line[:1], line[2:], offset

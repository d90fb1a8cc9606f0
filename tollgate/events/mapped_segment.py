"""A segment of the journal as its writer holds it: mapped into memory, so that a line is a copy.

Its blocks are allocated beforehand. A full disk is met where a segment is begun, as an error, and
not where a line is written: a mapped page without a block ends the process (SIGBUS).

A line's end is written after the line. What a killed process leaves is whole lines, then perhaps
a piece of one, then NULs.
"""

from __future__ import annotations

import os
from mmap import MAP_POPULATE, MAP_SHARED, mmap
from pathlib import Path

_LINE_END = ord("\n")


class MappedSegment:
    """A new segment; not for several threads.

    Args:
        path: Where it lies; nothing may be there.
        size: How many bytes it takes.

    Attributes:
        used: How many bytes are written.

    Raises:
        OSError: The disk does not take it; nothing is left there.
    """

    __slots__ = ("_map", "_size", "used")

    def __init__(self, path: Path, size: int) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
            self._map = mmap(descriptor, size, MAP_SHARED | MAP_POPULATE)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(descriptor)
        self._size = size
        self.used = 0

    def append(self, line: bytes) -> bool:
        """Write a line; False if it does not fit in.

        Args:
            line: Without its end; no line end and no NUL is in it.
        """
        start = self.used
        end = start + len(line)
        if end >= self._size:
            return False
        written = self._map
        written[start:end] = line
        written[end] = _LINE_END
        self.used = end + 1
        return True

    def read(self, offset: int) -> bytes:
        """What is written, from `offset` on."""
        return self._map[offset : self.used]

    def close(self) -> None:
        """Let go of the memory; the lines are in the file."""
        self._map.close()

"""Cuts an archive into pieces on disk, such that all events of one id lie in the same piece.

Each piece fits in memory, however large the archive is.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

PIECE_BYTES: Final = 32_000_000
_HEADER: Final = struct.Struct("<QQ")  # how many events, and the bytes of their lines


class Pieces:
    """The events of an archive, by a checksum of their ids.

    Args:
        folder: An empty folder; it takes as much as the archive has, unless that is little.
        archive_bytes: About how many bytes will be added.
    """

    def __init__(self, folder: Path, archive_bytes: int) -> None:
        self.count = archive_bytes // PIECE_BYTES + 1
        self._folder = folder
        self._buffers: list[tuple[array[int], list[bytes]]] = [
            (array("I"), []) for _ in range(self.count)
        ]
        self._room = PIECE_BYTES

    def add(self, event_id: str, line: bytes) -> None:
        """Add an event, in the order of recording; the line has one line end, behind it."""
        mark = crc32(event_id.encode())
        marks, lines = self._buffers[mark % self.count]
        marks.append(mark)
        lines.append(line)
        self._room -= len(line)
        if self._room < 0:
            self._flush()

    def repeated(self, piece: int) -> Iterator[tuple[int, bytes]]:
        """The events of a piece whose checksum occurs more than once, each with it.

        Events of one id have the same checksum; others may have it too.
        """
        counts: Counter[int] = Counter()
        for marks, _ in self._blocks(piece):
            counts.update(marks)
        repeated = {mark for mark, count in counts.items() if count > 1}
        if repeated:
            for marks, read in self._blocks(piece):
                if not repeated.isdisjoint(marks):
                    found = zip(marks, read(), strict=True)
                    yield from (each for each in found if each[0] in repeated)

    def all(self, piece: int) -> Iterator[tuple[int, bytes]]:
        """All events of a piece, each with its checksum."""
        for marks, read in self._blocks(piece):
            yield from zip(marks, read(), strict=True)

    def _flush(self) -> None:
        for piece, (marks, lines) in enumerate(self._buffers):
            if lines:
                text = b"".join(lines)
                with self._path(piece).open("ab") as file:
                    file.write(_HEADER.pack(len(lines), len(text)) + marks.tobytes() + text)
                del marks[:], lines[:]
        self._room = PIECE_BYTES

    def _blocks(self, piece: int) -> Iterator[tuple[array[int], Callable[[], list[bytes]]]]:
        """The checksums of some events after the other, each with what reads the events."""
        if self._path(piece).exists():
            with self._path(piece).open("rb") as file:
                while header := file.read(_HEADER.size):
                    events, size = _HEADER.unpack(header)
                    marks: array[int] = array("I", file.read(events * 4))
                    end = file.tell() + size
                    yield marks, lambda size=size: file.read(size).split(b"\n")[:-1]
                    file.seek(end)
        marks, lines = self._buffers[piece]
        yield marks, lambda: [line[:-1] for line in lines]

    def _path(self, piece: int) -> Path:
        return self._folder / f"{piece}.piece"

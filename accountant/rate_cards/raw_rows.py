"""One row of a rate file as it was written, with the line of each key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

# Kind of row -> key -> whether a row must say it.
RowKeys = Mapping[str, Mapping[str, bool]]


class RawRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it was written.

    Args:
        kind: `rate`, `discount` or `markup`.
        file: Where it stands.
        number: Which one of its kind it is in the file, from 1.
        line: The line on which it begins; None is not known.
        lines: The line of each key that has one of its own.
        members: What it says.
        untold: Keys that are told missing once a file, not once a row.
        name: What messages call it.
    """

    kind: str
    file: Path
    number: int
    line: int | None
    lines: Mapping[str, int]
    members: object
    untold: frozenset[str] = frozenset()
    name: str = "row"

    def place(self, key: str = "") -> str:
        """File, row and line of a key, or of the row."""
        line = self.line_of(key)
        return f"{self.file}: {self.name} {self.number}" + (f" (line {line})" if line else "")

    def line_of(self, key: str = "") -> int:
        """The line of a key, or of the row; 0 is not known."""
        return self.lines.get(key, self.line or 0)

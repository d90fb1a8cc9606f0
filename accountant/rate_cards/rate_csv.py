"""Rows of a CSV file: rates, or discounts and mark-ups if there is a column `percent`.

A file of other rows has only one kind of them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Final

from accountant.csv_cells import text_of
from accountant.rate_cards.raw_rows import RawRow, RowKeys

_TRUTH: Final = {"true": True, "yes": True, "false": False, "no": False}
_RULES: Final = ("discount", "markup")
_ADVICE: Final = "put a cell with a comma in quotes, and write prices with a point"


def csv_rows(file: Path, text: str, keys: RowKeys) -> tuple[list[RawRow], list[str]]:
    """The rows below the header, and what is wrong with the file; an empty cell says nothing.

    A file with semicolons is taken too, as spreadsheets of some countries write them.
    """
    lines = _numbered(text)
    names = [name.strip().lower() for _, header in islice(lines, 1) for name in header]
    only = next(iter(keys))
    rules = "percent" in names and "markup" in keys
    known = {**keys["markup"], "kind": True} if rules else keys[only]
    problems = [f"{file}: line 1: {each}" for each in _header_problems(names, known)]
    rows: list[RawRow] = []
    for number, (line, cells) in enumerate(lines, 1):
        members = {
            name: _value(name, cell)
            for name, cell in zip(names, cells, strict=False)
            if cell.strip() and name in known
        }
        kind = str(members.pop("kind", "")) if rules else only
        row = _row(file, number, line, kind, members, frozenset(known.keys() - {*names}))
        if len(cells) > len(names):
            problems.append(
                f"{row.place()}: has {len(cells)} cells, the header {len(names)}; {_ADVICE}"
            )
        elif kind not in {only, *_RULES}:
            problems.append(f"{row.place()}: kind: write discount or markup")
        elif members:
            rows.append(row)
    return rows, problems


def _header_problems(names: Sequence[str], known: Mapping[str, bool]) -> Iterator[str]:
    listed = ", ".join(known)
    for name in dict.fromkeys(names):
        if name not in known:
            yield f"{name!r} is not a column; known are {listed}"
        elif names.count(name) > 1:
            yield f"{name!r} is there {names.count(name)} times"
    for name, needed in known.items():
        if needed and name not in names:
            yield f"the column {name} is missing"


def _numbered(text: str) -> Iterator[tuple[int, list[str]]]:
    """The header and each row with the line on which it begins; its cells may hold line ends."""
    first = text.partition("\n")[0]
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    for cells in reader:
        yield line, cells
        line = reader.line_num + 1


def _value(name: str, cell: str) -> object:
    """A cell as TOML would have it."""
    text = text_of(cell.strip())
    if name == "per" and text.isdecimal() and text.isascii():
        return int(text)
    if name == "draft":
        return _TRUTH.get(text.lower(), text)
    return text


def _row(  # noqa: PLR0913, PLR0917  what a row has
    file: Path, number: int, line: int, kind: str, members: object, untold: frozenset[str]
) -> RawRow:
    return RawRow(
        kind=kind,
        file=file,
        number=number,
        line=line,
        lines={},
        members=members,
        untold=untold,
    )

"""Rows of a CSV file: of one kind, or of the kind that its column `kind` names."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from accountant.csv_cells import text_of
from accountant.rate_cards.raw_rows import RawRow, RowKeys

_TRUTH: Final = {"true": True, "yes": True, "false": False, "no": False}
_ADVICE: Final = "put a cell with a comma in quotes, and write prices with a point"


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """What a CSV file may have.

    Args:
        known: Its columns, and whether the header must have them.
        kinds: The kinds of its rows; of more than one, the column `kind` says which.
        whole: The columns of whole numbers.
        truths: The columns of yes or no.
    """

    known: Mapping[str, bool]
    kinds: tuple[str, ...]
    whole: frozenset[str] = frozenset({"per"})
    truths: frozenset[str] = frozenset({"draft"})


# The columns of a file, by its header and what rows of each kind may and must say.
FindColumns = Callable[[Sequence[str], RowKeys], Columns]


def rate_columns(names: Sequence[str], keys: RowKeys) -> Columns:
    """Rates, or discounts and mark-ups if there is a column `percent`."""
    if "percent" in names:
        return Columns(known={**keys["markup"], "kind": True}, kinds=("discount", "markup"))
    return Columns(known=keys["rate"], kinds=("rate",))


def csv_rows(
    file: Path, text: str, keys: RowKeys, find: FindColumns = rate_columns
) -> tuple[list[RawRow], list[str]]:
    """The rows below the header, and what is wrong with the file; an empty cell says nothing.

    A file with semicolons is taken too, as spreadsheets of some countries write them.
    """
    lines = _numbered(text)
    names = [name.strip().lower() for _, header in islice(lines, 1) for name in header]
    columns = find(names, keys)
    known, kinds = columns.known, columns.kinds
    untold = frozenset(name for name, needed in known.items() if needed) - {*names}
    problems = [f"{file}: line 1: {each}" for each in _header_problems(names, known)]
    rows: list[RawRow] = []
    for number, (line, cells) in enumerate(lines, 1):
        members = {
            name: _value(name, cell, columns)
            for name, cell in zip(names, cells, strict=False)
            if cell.strip() and name in known
        }
        kind = kinds[0] if len(kinds) == 1 else str(members.pop("kind", ""))
        row = _row(file, number, line, kind, members, untold)
        if len(cells) > len(names):
            problems.append(
                f"{row.place()}: has {len(cells)} cells, the header {len(names)}; {_ADVICE}"
            )
        elif kind not in kinds:
            problems.append(f"{row.place()}: kind: write {', '.join(kinds[:-1])} or {kinds[-1]}")
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


def _value(name: str, cell: str, columns: Columns) -> object:
    """A cell as TOML would have it."""
    text = text_of(cell.strip())
    if name in columns.whole and text.isdecimal() and text.isascii():
        return int(text)
    if name in columns.truths:
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

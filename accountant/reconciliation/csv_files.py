"""Reads CSV exports row by row: by our names of their columns, with every problem and its line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from accountant.csv_cells import text_of
from accountant.labels import shown
from tollgate.errors import SettingsError

Spellings = Mapping[str, Sequence[str]]
MAX_PROBLEMS: Final = 100
_DELIMITERS: Final = ",;\t|"
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]")
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?")
_SIZES: Final = range(-40, 21)  # of a first digit; sums of such numbers are exact


class Problems:
    """What is wrong with files: the first ones in full, then how many more."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._more = 0

    def add(self, problem: str) -> None:
        """Add one, with its place; it may have text of the file in it."""
        if len(self._told) < MAX_PROBLEMS:
            self._told.append(shown(problem))
        else:
            self._more += 1

    def check(self) -> None:
        """Nothing, if there were none.

        Raises:
            SettingsError: There were.
        """
        more = [f"and {self._more:,} more problems"] if self._more else []
        if self._told:
            raise SettingsError([*self._told, *more])


def csv_rows(
    path: Path, spellings: Spellings, optional: Spellings, problems: Problems
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each row's place, and its cells by our names; an absent column's are empty.

    Args:
        path: The file: UTF-8, with commas, semicolons, tabs or bars.
        spellings: Our name to what the column may be called, the best first.
        optional: The same of columns that may be absent.
        problems: Gets what is wrong; a file without its columns has no rows.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            delimiter = max(_DELIMITERS, key=header.count)
            names = next(csv.reader([header or "\n"], delimiter=delimiter))
            columns = _columns(path, names, spellings, optional, problems)
            if columns is None:
                return
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            line = 2
            for cells in reader:
                place, line = f"{path}: line {line}", reader.line_num + 2
                if len(cells) == len(names):
                    yield place, {name: _cell(cells, columns[name]) for name in columns}
                elif cells:
                    problems.add(f"{place}: has {len(cells)} cells, the header {len(names)}")
    except OSError as error:
        problems.add(f"{path}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.add(f"{path}: is not UTF-8")
    except csv.Error as error:
        problems.add(f"{path}: is not CSV: {error}")


def number_of(text: str) -> Decimal | None:
    """A decimal, written with a point and no other separators; None if it is none."""
    number = Decimal(text) if _NUMBER.fullmatch(text) else None
    return number if number is not None and number.adjusted() in _SIZES else None


def _cell(cells: Sequence[str], column: int | None) -> str:
    return "" if column is None else text_of(cells[column].strip())


def _columns(
    path: Path,
    names: Sequence[str],
    spellings: Spellings,
    optional: Spellings,
    problems: Problems,
) -> dict[str, int | None] | None:
    """Where each of our names is; None if a needed one is nowhere."""
    places = {_plain(name): place for place, name in reversed([*enumerate(names)])}
    found: dict[str, int | None] = {
        ours: next((places[_plain(each)] for each in theirs if _plain(each) in places), None)
        for ours, theirs in {**spellings, **optional}.items()
    }
    missing = [ours for ours in spellings if found[ours] is None]
    for ours in missing:
        problems.add(f"{path}: line 1: has no column {' or '.join(spellings[ours])}")
    return None if missing else found


def _plain(name: str) -> str:
    return _NOT_IN_A_NAME.sub("", name.lower())

"""Reads the accounts of a journal: a TOML file, and cost centres also from CSV files.

Both have rows of `tenant`, `billing_code`, `cost_centre`, `expense`, `effective_from` and
`effective_to`; a code that moves has two rows, the first of which ends when the other begins.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import combinations, islice
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from accountant.csv_cells import text_of
from accountant.exports.accounts import Accounts, CostCentre
from accountant.rate_cards.rate_rows import Day
from tollgate.errors import SettingsError

_Name = Annotated[str, Field(strict=True, min_length=1, max_length=256)]


class _Row(BaseModel):
    """One `[[cost_centre]]`, or a line of CSV."""

    model_config = ConfigDict(extra="forbid")
    tenant: _Name
    billing_code: _Name | None = None
    cost_centre: _Name
    expense: _Name | None = None
    effective_from: Day | None = None
    effective_to: Day | None = None

    @field_validator("effective_to")
    @classmethod
    def _ends_after_it_begins(cls, value: Day | None, info: ValidationInfo) -> Day | None:
        begins = info.data.get("effective_from")
        if value and begins and value <= begins:
            raise ValueError("the first day without it must come after effective_from")
        return value


class _File(BaseModel):
    """The TOML file, with the names of a journal's accounts where it says none."""

    model_config = ConfigDict(extra="forbid")
    expense: _Name = Accounts().expense
    ptu: _Name | None = None
    idle: _Name | None = None
    shared: _Name | None = None
    credit: _Name | None = None
    adjustment: _Name | None = None
    clearing: _Name = Accounts().clearing
    rounding: _Name = Accounts().rounding
    unallocated: _Name = Accounts().unallocated
    cost_centre: list[_Row] = []


class _Placed(msgspec.Struct, frozen=True):
    """A row, and where it stands."""

    row: _Row
    place: str


_COLUMNS: Final = tuple(_Row.model_fields)
_NEEDED: Final = tuple(name for name, field in _Row.model_fields.items() if field.is_required())


def read_accounts(paths: Sequence[Path]) -> Accounts:
    """The accounts in a TOML file, with its `[[cost_centre]]`s and those of CSV files.

    Args:
        paths: At most one that is no `.csv`.

    Raises:
        SettingsError: They cannot be read or used; it has every problem, with its line.
    """
    problems: list[str] = []
    rows: list[_Placed] = []
    files = [path for path in paths if path.suffix.lower() != ".csv"]
    named = _File()
    for path in files:
        named = _toml(path, problems) or named
        rows += [
            _Placed(row, f"{path}: cost_centre {number}")
            for number, row in enumerate(named.cost_centre, 1)
        ]
    if len(files) > 1:
        problems.append(f"{files[1]}: {files[0]} says the accounts; more cost centres go into .csv")
    for path in paths:
        if path not in files:
            rows += _csv(path, problems)
    problems += _clashes(rows)
    if problems:
        raise SettingsError(problems)
    return Accounts(**named.model_dump(exclude={"cost_centre"}), cost_centres=_by_code(rows, named))


def _text(path: Path, problems: list[str]) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{path}: cannot be read: it is not UTF-8")
    return ""


def _toml(path: Path, problems: list[str]) -> _File | None:
    try:
        return _File.model_validate(tomllib.loads(_text(path, problems)))
    except ValidationError as error:
        problems += [_told(str(path), each) for each in error.errors()]
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: is not TOML: {error}")
    return None


def _csv(path: Path, problems: list[str]) -> Iterator[_Placed]:
    """Rows with the line on which each ends; an empty cell says nothing."""
    text = _text(path, problems)
    header = text.partition("\n")[0]
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    names = [name.strip().lower() for cells in islice(reader, 1) for name in cells]
    wrong = [f"{name!r} is not a column" for name in names if name not in _COLUMNS]
    wrong += [f"the column {name} is missing" for name in _NEEDED if name not in names]
    if wrong and text:
        known = ", ".join(_COLUMNS)
        problems += [f"{path}: line 1: {each}; known are {known}" for each in wrong]
        return
    for cells in reader:
        place = f"{path}: line {reader.line_num}"
        said = zip(names, map(text_of, map(str.strip, cells)), strict=False)
        members = {name: cell for name, cell in said if cell}
        if len(cells) > len(names):
            problems.append(f"{place}: has {len(cells)} cells, the header {len(names)}")
        elif members and (row := _row(members, place, problems)):
            yield _Placed(row, place)


def _row(members: Mapping[str, Any], place: str, problems: list[str]) -> _Row | None:
    try:
        return _Row.model_validate(members)
    except ValidationError as error:
        problems += [_told(place, each) for each in error.errors()]
        return None


def _clashes(rows: Sequence[_Placed]) -> list[str]:
    """Which rows give one code two cost centres on one day."""
    by_code: dict[tuple[str, str | None], list[_Placed]] = {}
    for each in rows:
        by_code.setdefault((each.row.tenant, each.row.billing_code), []).append(each)
    return [
        f"{b.place}: {tenant}, {code or 'without a billing_code'}: has a cost centre on the same "
        f"days in {a.place}; a code that moves needs effective_to in the old row"
        for (tenant, code), group in by_code.items()
        for a, b in combinations(group, 2)
        if _meet(a.row, b.row)
    ]


def _meet(a: _Row, b: _Row) -> bool:
    ends_first = a.effective_to and b.effective_from and a.effective_to <= b.effective_from
    begins_last = b.effective_to and a.effective_from and b.effective_to <= a.effective_from
    return not (ends_first or begins_last)


def _by_code(
    rows: Sequence[_Placed], named: _File
) -> dict[tuple[str, str | None], list[CostCentre]]:
    found: dict[tuple[str, str | None], list[CostCentre]] = {}
    for row in (each.row for each in rows):
        centre = CostCentre(
            row.cost_centre, row.expense or named.expense, row.effective_from, row.effective_to
        )
        found.setdefault((row.tenant, row.billing_code), []).append(centre)
    return found


def _told(place: str, problem: ErrorDetails) -> str:
    """One problem of pydantic's, with rows counted from 1."""
    where = (str(each + 1) if isinstance(each, int) else each for each in problem["loc"])
    return f"{place}: {' '.join(where)}: {problem['msg'].removeprefix('Value error, ')}"

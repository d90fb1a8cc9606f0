"""Reads rate cards from dated TOML and CSV files, and reports every problem at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec
from pydantic import BaseModel, ValidationError

from accountant.errors import RateCardError
from accountant.rate_cards.price_rules import PriceRule, RuleKind, rule_clashes
from accountant.rate_cards.rate_card import Rate, RateCard, contradictions
from accountant.rate_cards.rate_gaps import gaps
from accountant.rate_cards.rate_rows import ROWS, DatedRow, RateRow, problem
from accountant.rate_cards.rate_tables import read_rows
from accountant.rate_cards.raw_rows import RawRow, RowKeys

Row = TypeVar("Row", bound=BaseModel)

SHIPPED_RATES: Final = Path(__file__).parent.parent / "rates"

_SUFFIXES: Final = {".toml", ".csv"}


def keys_of(rows: Mapping[str, type[BaseModel]]) -> RowKeys:
    """What rows of each kind may and must say, as people write it."""
    return {
        kind: {field.alias or name: field.is_required() for name, field in row.model_fields.items()}
        for kind, row in rows.items()
    }


_KEYS: Final = keys_of(ROWS)


class RateFiles(msgspec.Struct, frozen=True):
    """What files say.

    Args:
        rates: The sound rates that price.
        drafts: The sound ones that do not yet, as someone has to check them.
        rules: The sound discounts and mark-ups.
        problems: What is wrong with any of them, or between them.
    """

    rates: list[Rate]
    drafts: list[Rate]
    rules: list[PriceRule]
    problems: list[str]


def load_rate_card(path: Path = SHIPPED_RATES) -> RateCard:
    """Read one file, or every `*.toml` and `*.csv` of a directory.

    Args:
        path: The file or directory; without it, the public list prices that are shipped.

    Raises:
        RateCardError: With every problem of every file.
    """
    found = read_rate_files([path])
    if not found.problems and found.drafts and not found.rates:
        raise RateCardError([only_drafts(found)])
    if found.problems:
        raise RateCardError(found.problems)
    return RateCard(found.rates, found.rules)


def read_rate_files(paths: Sequence[Path]) -> RateFiles:
    """Read files and directories as one card, sound or not."""
    rates: list[Rate] = []
    drafts: list[Rate] = []
    rules: list[PriceRule] = []
    problems: list[str] = []
    for file in files_in(paths, problems):
        raws, wrong = read_rows(file, _KEYS)
        problems += wrong
        for raw in raws:
            _sort(raw, checked(raw, ROWS[raw.kind], problems), (rates, drafts, rules))
    if rates or not (problems or drafts):
        problems += contradictions(rates)
    return RateFiles(rates, drafts, rules, [*problems, *gaps(rates), *rule_clashes(rules)])


def only_drafts(found: RateFiles) -> str:
    """What to say of files that price nothing yet."""
    return (
        f"there is no rate yet: all {len(found.drafts):,} rows are drafts;"
        " remove `draft` from those that you have checked"
    )


def files_in(paths: Sequence[Path], problems: list[str]) -> list[Path]:
    """The files, and those of the directories; what is wrong is added to `problems`."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix.lower() in _SUFFIXES)
            if not inside:
                problems.append(f"{path}: there is no .toml or .csv file in it")
            files += inside
        else:
            files.append(path)
    return list(dict.fromkeys(files))


def checked(raw: RawRow, row: type[Row], problems: list[str]) -> Row | None:
    """The row if it is sound; what is wrong with it is added to `problems`."""
    try:
        return row.model_validate(raw.members)
    except ValidationError as error:
        told = [
            (raw.line_of(key), f"{raw.place(key)}: {problem(entry, raw.kind)}")
            for entry in error.errors()
            for key in [str(entry["loc"][0]) if entry["loc"] else ""]
            if entry["type"] != "missing" or key not in raw.untold
        ]
        problems += [text for _, text in sorted(told, key=lambda each: each[0])]
        return None


def _sort(
    raw: RawRow, row: DatedRow | None, lists: tuple[list[Rate], list[Rate], list[PriceRule]]
) -> None:
    rates, drafts, rules = lists
    if row is None:
        return
    members: dict[str, Any] = row.model_dump()
    if isinstance(row, RateRow):
        draft = members.pop("draft")
        rate = Rate(place=raw.place(), unit_price=members.pop("price"), **members)
        (drafts if draft else rates).append(rate)
    else:
        rules.append(PriceRule(kind=cast("RuleKind", raw.kind), place=raw.place(), **members))

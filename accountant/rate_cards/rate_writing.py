"""Writes rates as files that can be read again, and as JSON; the table is in `rate_table`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any, Final

from accountant.csv_cells import cell
from accountant.money import plain
from accountant.rate_cards.price_rules import RULE_FIELDS, PriceRule
from accountant.rate_cards.rate_card import MATCH_FIELDS, Rate

_COLUMNS: Final = (
    "model",
    *MATCH_FIELDS,
    "meter",
    "price",
    "per",
    "currency",
    "effective_from",
    "effective_to",
    "source",
    "checked_on",
    "draft",
)


def rates_csv(rates: Iterable[Rate], drafts: Iterable[Rate] = ()) -> str:
    """Every column, those that say nothing empty; a rate card as it is."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for members in _all(rates, drafts):
        writer.writerow([_cell(members[name]) if name in members else "" for name in _COLUMNS])
    return text.getvalue()


def rates_toml(heading: Sequence[str], rates: Iterable[Rate], drafts: Iterable[Rate] = ()) -> str:
    """Rows under a heading of comments; a rate card as it is."""
    rows = [
        "".join(
            ["[[rate]]\n", *(f"{name} = {toml_value(value)}\n" for name, value in members.items())]
        )
        for members in _all(rates, drafts)
    ]
    return "\n".join(["".join(f"# {line}\n" for line in heading), *rows])


def rates_json(rates: Iterable[Rate], drafts: Iterable[Rate], rules: Iterable[PriceRule]) -> str:
    """One object: `rates`, drafts among them, and `rules`; prices and per cents are text."""
    found = {
        "rates": [_texts(members) for members in _all(rates, drafts)],
        "rules": [_texts(_rule_members(rule)) for rule in rules],
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def _all(rates: Iterable[Rate], drafts: Iterable[Rate]) -> Iterator[dict[str, Any]]:
    yield from (_members(rate) for rate in rates)
    yield from ({**_members(rate), "draft": True} for rate in drafts)


def _members(rate: Rate) -> dict[str, Any]:
    """What a row of the card says, in the order of its columns."""
    names = {name: name for name in _COLUMNS if name != "draft"} | {"price": "unit_price"}
    values = {column: getattr(rate, name) for column, name in names.items()}
    said = {column: value for column, value in values.items() if value is not None}
    return {**said, "price": plain(rate.unit_price)}


def _rule_members(rule: PriceRule) -> dict[str, Any]:
    names = ("kind", "name", *RULE_FIELDS, "effective_from", "effective_to", "source")
    values = {name: getattr(rule, name) for name in names}
    said = {name: value for name, value in values.items() if value is not None}
    return {**said, "percent": plain(rule.percent)}


def _texts(members: dict[str, Any]) -> dict[str, Any]:
    keep = (bool, int)
    return {name: each if isinstance(each, keep) else str(each) for name, each in members.items()}


def _cell(value: object) -> str:
    return "true" if value is True else cell(str(value))


def toml_value(value: object) -> str:
    """A string, a whole number or true, as TOML has it."""
    if value is True:
        return "true"
    if isinstance(value, str):  # a JSON string is a TOML string, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)

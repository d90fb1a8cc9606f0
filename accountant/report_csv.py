"""The report as CSV: one row a line, names escaped so that no spreadsheet runs them.

A missing name is an empty cell, since no name is empty. `(overflow)` is all names beyond the
ledger's limit. A name that would be read as that or as a formula stands behind an apostrophe, as
does a name that looks so escaped.
"""

from __future__ import annotations

import csv
from io import StringIO
from typing import Final

from accountant.csv_cells import cell, looks_like_formula
from accountant.lines import Line, UnpricedLine
from accountant.money import plain
from accountant.price_rules import words
from accountant.report import Report
from tollgate.ledger.cells import OVERFLOW

_COLUMNS: Final = (
    "meter",
    "provenance",
    "quantity",
    "unit",
    "unit_price",
    "per",
    "amount",
    "currency",
    "requests",
    "status",
    "list_price",
    "adjustments",
)
_OVERFLOW: Final = "(overflow)"


def as_csv(report: Report) -> str:
    """A header, the priced lines, then those that are `unpriced`, or `uncounted`: not known.

    Amounts are exact; the rounding is by statement, so it is no column here.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("period", *report.by, *_COLUMNS))
    for line in (*report.lines, *report.unpriced):
        writer.writerow((str(report.period), *map(_text, line.group), *_cells(line, report)))
    return text.getvalue()


def _cells(line: Line | UnpricedLine, report: Report) -> tuple[object, ...]:
    told = (_text(line.meter), line.provenance, line.quantity, line.unit)
    if isinstance(line, UnpricedLine):
        status = "uncounted" if line.meter is None else "unpriced"
        return (*told, "", "", "", "", line.requests, status, "", "")
    price = (plain(line.unit_price), line.per, plain(line.amount), report.currency)
    listed = "" if line.list_price is None else plain(line.list_price)
    return (*told, *price, line.requests, "priced", listed, cell(words(line.adjustments)))


def _text(name: str | None) -> str:
    """A name as text, which comes back whole if one apostrophe is taken off what is escaped."""
    if name is None:
        return ""
    if name == OVERFLOW:
        return _OVERFLOW
    risky = name.lstrip("'") == _OVERFLOW or looks_like_formula(name)
    return f"'{name}" if risky else name

"""The report as CSV: one row a line, names escaped so that no spreadsheet runs them."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Final

from accountant.labels import label
from accountant.money import plain
from accountant.report import Line, Report, UnpricedLine

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
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report) -> str:
    """A header, the priced lines, then those without a price, whose `status` says so.

    Amounts are exact; the rounding is by statement, so it is no column here.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("period", *report.by, *_COLUMNS))
    for line in (*report.lines, *report.unpriced):
        writer.writerow((str(report.period), *_group(report.by, line), *_cells(line, report)))
    return text.getvalue()


def _group(by: tuple[str, ...], line: Line | UnpricedLine) -> list[str]:
    values = zip(by, line.group, strict=True)
    return [_text(label(field, name)) for field, name in values]


def _cells(line: Line | UnpricedLine, report: Report) -> tuple[object, ...]:
    told = (_text(line.meter), line.provenance, line.quantity, line.unit)
    if isinstance(line, UnpricedLine):
        return (*told, "", "", "", "", line.requests, "unpriced")
    price = (plain(line.unit_price), line.per, plain(line.amount), report.currency)
    return (*told, *price, line.requests, "priced")


def _text(name: str) -> str:
    """A name as text: behind an apostrophe, if a spreadsheet would take it for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name

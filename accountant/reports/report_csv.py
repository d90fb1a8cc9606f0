"""The report as CSV: one row a line, names escaped so that no spreadsheet runs them."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Final

from accountant.csv_cells import cell
from accountant.csv_text import name_cell
from accountant.lines import Line, UnpricedLine
from accountant.money import plain
from accountant.rate_cards.price_rules import words
from accountant.reports.report import Report

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


def as_csv(report: Report) -> str:
    """A header, the priced lines, then those that are `unpriced`, or `uncounted`: not known.

    Amounts are exact; the rounding is by statement, so it is no column here.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("period", *report.by, *_COLUMNS))
    for line in (*report.lines, *report.unpriced):
        writer.writerow((str(report.period), *map(name_cell, line.group), *_cells(line, report)))
    return text.getvalue()


def _cells(line: Line | UnpricedLine, report: Report) -> tuple[object, ...]:
    told = (name_cell(line.meter), line.provenance, line.quantity, line.unit)
    if isinstance(line, UnpricedLine):
        status = "uncounted" if line.meter is None else "unpriced"
        return (*told, "", "", "", "", line.requests, status, "", "")
    price = (plain(line.unit_price), line.per, plain(line.amount), report.currency)
    listed = "" if line.list_price is None else plain(line.list_price)
    return (*told, *price, line.requests, "priced", listed, cell(words(line.adjustments)))

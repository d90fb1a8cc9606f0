"""The report as CSV: one row a line, names escaped so that no spreadsheet runs them."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Final

from accountant.charges import Charge
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
    "description",
)


def as_csv(report: Report) -> str:
    """A header, the priced lines, those `unpriced` or `uncounted`: not known; then the entries.

    An entry has its category for a status, and says in its description what it is.

    Amounts are exact; the rounding is by statement, so it is no column here.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("period", *report.by, *_COLUMNS))
    for line in (*report.lines, *report.unpriced):
        writer.writerow((str(report.period), *map(name_cell, line.group), *_cells(line, report)))
    for entry in report.entries:
        group = (_of_entry(name, entry) for name in report.by)
        owed = ("", "", "", "", "", "", plain(entry.amount), report.currency, "")
        status = entry.category.lower()
        writer.writerow(
            (str(report.period), *group, *owed, status, "", "", cell(entry.description))
        )
    return text.getvalue()


def _of_entry(name: str, entry: Charge) -> str:
    named = {"tenant": entry.tenant, "billing_code": entry.billing_code}
    return name_cell(named.get(name))


def _cells(line: Line | UnpricedLine, report: Report) -> tuple[object, ...]:
    told = (name_cell(line.meter), line.provenance, line.quantity, line.unit)
    if isinstance(line, UnpricedLine):
        status = "uncounted" if line.meter is None else "unpriced"
        return (*told, "", "", "", "", line.requests, status, "", "", "")
    price = (plain(line.unit_price), line.per, plain(line.amount), report.currency)
    listed = "" if line.list_price is None else plain(line.list_price)
    return (*told, *price, line.requests, "priced", listed, cell(words(line.adjustments)), "")

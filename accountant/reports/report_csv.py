"""The report as CSV: one row a line, names escaped so that no spreadsheet runs them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from accountant.charges import Charge
from accountant.csv_cells import cell
from accountant.csv_text import name_cell, text_cell
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
    "shared_cost",
    "shared_by",
    "share",
    "share_of",
    "corrects_month",
    "corrects_statement",
    "corrects_line",
    "because",
)
_OF_ENTRIES: Final = _COLUMNS.index("description")
_NO_ENTRY: Final = ("",) * (len(_COLUMNS) - _OF_ENTRIES)


def as_csv(report: Report) -> str:
    """A header, the priced lines, the entries, then what is `unpriced`, or `uncounted`: not known.

    An entry's status is `shared`, `correction` or its category. Amounts are exact; the rounding is
    by statement, so it is no column here.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("period", *report.by, *_COLUMNS))
    for line in report.lines:
        writer.writerow((*_group(report, line.group), *_cells(line, report), *_NO_ENTRY))
    for entry in report.entries:
        writer.writerow((*_group(report, _names(entry, report.by)), *_entry(entry, report)))
    for line in report.unpriced:
        writer.writerow((*_group(report, line.group), *_cells(line, report), *_NO_ENTRY))
    return text.getvalue()


def _group(report: Report, names: Iterable[str | None]) -> tuple[str, ...]:
    return (str(report.period), *map(name_cell, names))


def _names(entry: Charge, by: Sequence[str]) -> list[str | None]:
    """An entry has a tenant and a billing code, and a model if it is of one."""
    model = entry.consumed.sku.model if entry.consumed else None
    known = {"tenant": entry.tenant, "billing_code": entry.billing_code, "model": model}
    return [known.get(name) for name in by]


def _entry(entry: Charge, report: Report) -> tuple[object, ...]:
    shared, corrected = entry.allocation, entry.correction
    status = "correction" if corrected else "shared" if shared else entry.category.lower()
    money = (*[""] * 6, plain(entry.amount), report.currency, "", status, "", "")
    part = ("",) * 4
    if shared:
        part = (text_cell(shared.cost), shared.method, shared.share, plain(shared.whole))
    names: tuple[object, ...] = ("",) * 4
    if corrected:
        statement = name_cell(corrected.statement)
        names = (corrected.month, statement, corrected.line, corrected.reason)
    return (*money, text_cell(entry.description), *part, *names)


def _cells(line: Line | UnpricedLine, report: Report) -> tuple[object, ...]:
    told = (name_cell(line.meter), line.provenance, line.quantity, line.unit)
    if isinstance(line, UnpricedLine):
        status = "uncounted" if line.meter is None else "unpriced"
        return (*told, "", "", "", "", line.requests, status, "", "")
    price = (plain(line.unit_price), line.per, plain(line.amount), report.currency)
    listed = "" if line.list_price is None else plain(line.list_price)
    return (*told, *price, line.requests, "priced", listed, cell(words(line.adjustments)))

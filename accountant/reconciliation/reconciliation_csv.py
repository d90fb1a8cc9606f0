"""Reconciliations as CSV: a row a line, then what is not compared; no cell starts a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Final

import msgspec

from accountant.csv_text import name_cell, text_cell
from accountant.reconciliation.differences import Line
from accountant.reconciliation.items import Item
from accountant.reconciliation.reconcile import Reconciliation
from accountant.reconciliation.reconciliation_json import money
from accountant.reconciliation.sides import Apart
from tollgate.usage.periods import Month

_ITEM: Final = Item.__struct_fields__
COLUMNS: Final = (
    "period",
    "source",
    "day",
    *_ITEM,
    "unit",
    "status",
    "ledger",
    "provider",
    "difference",
    "unexplained",
    "currency",
    "ledger_amount",
    "provider_amount",
    "amount_difference",
    "unexplained_amount",
    "unpriced",
    "causes",
)


def as_csv(period: Month, found: Sequence[Reconciliation]) -> str:
    """The header, and every line of every source; what is not compared has the status `apart`.

    A cause is told as `kind quantity`, with its amount behind it where there is money.
    """
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for each in found:
        same = {"period": period, "source": each.source}
        writer.writerows({**same, **row} for row in _rows(each))
    return text.getvalue()


def _rows(found: Reconciliation) -> Iterator[dict[str, object]]:
    for line in found.lines:
        yield {**_line(line), "currency": found.currency}
    for side, aparts in (("ledger", found.ledger_apart), ("provider", found.provider_apart)):
        for each in aparts:
            yield _apart(side, each)


def _line(line: Line) -> dict[str, object]:
    names = zip(_ITEM, msgspec.structs.astuple(line.item), strict=True)
    return {
        "day": line.day,
        **{name: name_cell(value) for name, value in names},
        "unit": line.item.unit,
        "status": line.status,
        "ledger": line.ledger,
        "provider": line.provider,
        "difference": line.difference,
        "unexplained": line.unexplained,
        "ledger_amount": money(line.ledger_amount),
        "provider_amount": money(line.provider_amount),
        "amount_difference": money(line.amount_difference),
        "unexplained_amount": money(line.unexplained_amount),
        "unpriced": line.unpriced,
        "causes": "; ".join(
            " ".join(filter(None, (cause.kind, str(cause.quantity), money(cause.amount))))
            for cause in line.causes
        ),
    }


def _apart(side: str, each: Apart) -> dict[str, object]:
    return {
        "meter": text_cell(each.what),
        "unit": text_cell(each.unit or ""),
        "status": "apart",
        side: money(each.quantity),
        "currency": each.currency,
        f"{side}_amount": money(each.amount),
        "causes": each.kind,
    }

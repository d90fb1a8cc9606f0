"""The report as JSON: one object, money as text, quantities as whole numbers.

A name is text. Usage without a billing code, user, model or region has null there; what stands for
all names beyond the ledger's limit is `{"overflow": true}`, which no name can look like. Usage that
is not known is in `unpriced`, with null for its meter, quantity, unit and rate. A line whose unit
price is not the list price says so: `list_price`, and the `adjustments` that made one of the other.
What else is owed is in `entries`, which are there only if something is.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from accountant.charges import Allocation, Charge
from accountant.lines import Line, UnpricedLine
from accountant.money import plain
from accountant.reports.report import Report
from tollgate.ledger.cells import OVERFLOW


def as_json(report: Report) -> str:
    """One object, indented, in UTF-8; the same bytes for the same report."""
    return json.dumps(members(report), ensure_ascii=False, indent=2) + "\n"


def members(report: Report) -> dict[str, Any]:
    """The report's members, in the order in which they are printed."""
    return {
        "period": str(report.period),
        "time_zone": "UTC",
        "currency": report.currency,
        "status": report.edition.status,
        "by": list(report.by),
        "lines": [_priced(report.by, line) for line in report.lines],
        **({"entries": [_entry(each) for each in report.entries]} if report.entries else {}),
        "unpriced": [_unpriced(report.by, line) for line in report.unpriced],
        "coverage": {"requests": report.requests, **report.coverage},
        "rounding": plain(report.rounding),
        "total": str(report.total),
    }


def _priced(by: tuple[str, ...], line: Line) -> dict[str, Any]:
    return {
        **_group(by, line),
        "meter": line.meter,
        "provenance": line.provenance,
        "quantity": line.quantity,
        "unit": line.unit,
        "unit_price": plain(line.unit_price),
        "per": line.per,
        "amount": plain(line.amount),
        "requests": line.requests,
        **(_adjusted(line) if line.adjustments else {}),
    }


def _entry(charge: Charge) -> dict[str, Any]:
    shared, corrects = charge.allocation, charge.correction
    return {
        "tenant": charge.tenant,
        "billing_code": _name(charge.billing_code),
        "category": charge.category,
        "description": charge.description,
        "start": charge.start.isoformat(),
        "end": charge.end.isoformat(),
        "amount": plain(charge.amount),
        **({"allocation": _allocation(shared)} if shared else {}),
        **({"corrects": msgspec.structs.asdict(corrects)} if corrects else {}),
    }


def _allocation(shared: Allocation) -> dict[str, Any]:
    used = {"requests": shared.requests, "tokens": dict(shared.tokens)} if shared.tokens else {}
    return {
        "cost": shared.cost,
        "method": shared.method,
        "share": shared.share,
        "whole": plain(shared.whole),
        **used,
    }


def _adjusted(line: Line) -> dict[str, Any]:
    return {
        "list_price": plain(line.list_price or line.unit_price),
        "adjustments": [
            {"kind": each.kind, "name": each.name, "percent": plain(each.percent)}
            for each in line.adjustments
        ],
    }


def _unpriced(by: tuple[str, ...], line: UnpricedLine) -> dict[str, Any]:
    return {
        **_group(by, line),
        "meter": line.meter,
        "provenance": line.provenance,
        "quantity": line.quantity,
        "unit": line.unit,
        "requests": line.requests,
        "rate_for": line.rate_for,
    }


def _group(by: tuple[str, ...], line: Line | UnpricedLine) -> dict[str, object]:
    values = zip(by, line.group, strict=True)
    return {name: _name(value) for name, value in values}


def _name(value: str | None) -> object:
    return {"overflow": True} if value == OVERFLOW else value

"""The report as JSON: one object, money as text, quantities as whole numbers.

A name is text. Usage without a billing code, user, model or region has null there; what stands for
all names beyond the ledger's limit is `{"overflow": true}`, which no name can look like. Usage that
is not known is in `unpriced`, with null for its meter, quantity, unit and rate. A line whose unit
price is not the list price says so: `list_price`, and the `adjustments` that made one of the other.
`entries` is what else is owed. Lines, then entries, are counted from 1: so a correction names the
line of a closed statement.
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
        "edition": _edition(report),
        "by": list(report.by),
        "lines": [_priced(report.by, line) for line in report.lines],
        "entries": [_entry(each) for each in report.entries],
        "unpriced": [_unpriced(report.by, line) for line in report.unpriced],
        "coverage": {"requests": report.requests, **report.coverage},
        "rounding": plain(report.rounding),
        "total": str(report.total),
    }


def _edition(report: Report) -> dict[str, Any]:
    """The state of the books, with the numbers of these statements alone."""
    edition = report.edition
    tenants = [each.tenant for each in report.statements]
    return {
        "rate_card": edition.rate_card,
        "costs": edition.costs,
        "closed_on": edition.closed_on and edition.closed_on.isoformat(),
        "digest": edition.digest,
        "numbers": {name: edition.numbers[name] for name in tenants if name in edition.numbers},
        "waivers": [msgspec.to_builtins(each) for each in edition.waivers],
        "restated_by": list(edition.restated_by),
    }


def _entry(charge: Charge) -> dict[str, Any]:
    return {
        "tenant": charge.tenant,
        "billing_code": _name(charge.billing_code),
        "start": charge.start.isoformat(),
        "end": charge.end.isoformat(),
        "category": charge.category,
        "description": charge.description,
        "amount": plain(charge.amount),
        "allocation": _allocation(charge.allocation),
        "correction": charge.correction and msgspec.to_builtins(charge.correction),
    }


def _allocation(allocation: Allocation | None) -> dict[str, Any] | None:
    if allocation is None:
        return None
    return {**msgspec.to_builtins(allocation), "whole": plain(allocation.whole)}


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
    return {name: _name(value) for name, value in zip(by, line.group, strict=True)}


def _name(value: str | None) -> object:
    return {"overflow": True} if value == OVERFLOW else value

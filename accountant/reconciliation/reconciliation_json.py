"""Reconciliations as JSON: one object; money is text, quantities of lines are whole numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from accountant.money import plain
from accountant.reconciliation.capture import Capture, captures
from accountant.reconciliation.causes import Cause
from accountant.reconciliation.differences import Line
from accountant.reconciliation.items import Item
from accountant.reconciliation.reconcile import Reconciliation
from accountant.reconciliation.sides import Apart
from accountant.reconciliation.true_up import TrueUp, text_of
from tollgate.usage.periods import Month


def as_json(period: Month, tolerance: Decimal, found: Sequence[Reconciliation]) -> str:
    """One object, indented, in UTF-8; the same bytes for the same reconciliations.

    Args:
        period: The month.
        tolerance: As a part of 1.
        found: One a source.
    """
    members = {
        "period": str(period),
        "time_zone": "UTC",
        "tolerance_percent": plain(tolerance * 100),
        "agrees": all(each.agrees for each in found),
        "sources": [_source(each) for each in found],
    }
    return _dumped(members)


def true_up_json(entry: TrueUp) -> str:
    """The entry as one object."""
    return _dumped(
        {
            "id": entry.id,
            "period": str(entry.period),
            "currency": entry.currency,
            "method": entry.method,
            "provider_amount": plain(entry.provider),
            "ledger_amount": plain(entry.ledger),
            "amount": str(entry.amount),
            "lines": [
                {
                    "tenant": line.tenant,
                    **(_item(line.item) if line.item else {"meter": None}),
                    "amount": str(line.amount),
                    "text": text_of(entry, line),
                }
                for line in entry.lines
            ],
        }
    )


def _source(found: Reconciliation) -> dict[str, Any]:
    return {
        "source": found.source,
        "of": list(found.of),
        "currency": found.currency,
        "agrees": found.agrees,
        "settled_until": str(found.settled_until),
        "capture": [_capture(each) for each in captures(found.settled)],
        "lines": [_line(line) for line in found.lines],
        "ledger_not_compared": [_apart(each) for each in found.ledger_apart],
        "provider_not_compared": [_apart(each) for each in found.provider_apart],
        "meters_not_told": list(found.silent),
        "resources_without_a_backend": list(found.strangers),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "day": str(line.day),
        **_item(line.item),
        "unit": line.item.unit,
        "status": line.status,
        "ledger": line.ledger,
        "provider": line.provider,
        "difference": line.difference,
        "ledger_amount": money(line.ledger_amount),
        "provider_amount": money(line.provider_amount),
        "amount_difference": money(line.amount_difference),
        "causes": [_cause(each) for each in line.causes],
        "unexplained": line.unexplained,
        "unexplained_amount": money(line.unexplained_amount),
        "unpriced": line.unpriced,
    }


def _item(item: Item) -> dict[str, object]:
    return msgspec.structs.asdict(item)


def _cause(cause: Cause) -> dict[str, Any]:
    return {"kind": cause.kind, "quantity": cause.quantity, "amount": money(cause.amount)}


def _capture(each: Capture) -> dict[str, Any]:
    backend, deployment, model = each.target or (None, None, None)
    money_or_count = plain if each.unit == "money" else int
    return {
        "of": "all" if each.target is None else "deployment",
        "backend": backend,
        "deployment": deployment,
        "model": model,
        "unit": each.unit,
        "ledger": money_or_count(each.ledger),
        "provider": money_or_count(each.provider),
        "rate": None if each.rate is None else plain(each.rate),
    }


def _apart(each: Apart) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "what": each.what,
        "rows": each.rows,
        "quantity": money(each.quantity),
        "unit": each.unit,
        "amount": money(each.amount),
        "currency": each.currency,
    }


def money(amount: Decimal | None) -> str | None:
    """Every digit that counts; None has none."""
    return None if amount is None else plain(amount)


def _dumped(members: dict[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False, indent=2) + "\n"

"""The numbers of a closed statement's lines, which corrections name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from accountant.charges import Charge
from accountant.closing.corrections import Corrected, Row, own_rows
from accountant.closing.seals import Seal
from accountant.closing.shared_changes import shared_key
from accountant.lines import Line
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.reports.report import Report

# Lines are numbered as the statement of a tenant sorts them by these.
STATEMENT_BY: Final = ("tenant", "billing_code", "model")
# Tenant, and what the line is of.
_Key = tuple[str, object]


def numbered(seal: Seal, closed: Iterable[Row], found: Sequence[Corrected]) -> list[Row]:
    """The corrections, each with the statement and the line that it corrects.

    Args:
        seal: Of the closed month.
        closed: Its charges; read only if there are corrections.
        found: The corrections, without numbers.
    """
    lines = closed_lines(seal, closed, {each.row.tenant for each in found}) if found else {}
    return [_numbered(each, seal, lines) for each in found]


def closed_lines(seal: Seal, closed: Iterable[Row], tenants: Collection[str]) -> dict[_Key, int]:
    """The numbers of some tenants' lines, each tenant's from 1: usage, then what else is owed."""
    from accountant.reports.report import MonthFacts, charge_report  # noqa: PLC0415  seldom needed

    month = Month.parse(seal.month)
    facts = MonthFacts(period=month, currency=seal.currency, requests={})
    rows = (each for each in own_rows(month, closed) if each.tenant in tenants)
    report = charge_report(facts, STATEMENT_BY, rows)
    numbers: dict[_Key, int] = {}
    last = Counter[str]()
    for tenant, key in _keys(report):
        last[tenant] += 1
        numbers.setdefault((tenant, key), last[tenant])
    return numbers


def _keys(report: Report) -> list[_Key]:
    lines: list[_Key] = [(str(line.group[0]), _line_key(line)) for line in report.lines]
    return [*lines, *((each.tenant, shared_key(each)) for each in report.entries)]


def _line_key(line: Line) -> object:
    _, code, model = line.group
    listed = line.unit_price if line.list_price is None else line.list_price
    price = (line.unit_price, line.per, listed, line.adjustments)
    return (code, model, line.meter, line.provenance, price)


def _key_of(charge: Charge) -> _Key:
    consumed, price = charge.consumed, charge.price
    if charge.allocation or not (consumed and price):
        return charge.tenant, shared_key(charge)
    listed = price.listed if price.adjustments else price.charged
    sku, terms = consumed.sku, (price.charged, price.per, listed, price.adjustments)
    return charge.tenant, (charge.billing_code, sku.model, consumed.meter, sku.provenance, terms)


def _numbered(found: Corrected, seal: Seal, lines: dict[_Key, int]) -> Row:
    row = found.row
    if not isinstance(row, Charge) or row.correction is None:
        return row
    line = lines.get(_key_of(found.line)) if found.line else None
    statement = seal.numbers.get(row.tenant)
    correction = msgspec.structs.replace(row.correction, statement=statement, line=line)
    return msgspec.structs.replace(row, correction=correction)

"""What a statement owes beside its usage: shared costs, credits, corrections of closed months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Final

from accountant.charges import Allocation, Correction
from accountant.labels import label, shown
from accountant.money import total
from accountant.statements.document import Cell, Column, Row, Table
from accountant.statements.tenant_statement import NumberedCharge, TenantStatement

_METHODS: Final = {
    "used": "by what each used of it, hour by hour",
    "idle": "idle: what nobody used",
    "proportional": "in proportion to usage charges",
    "even": "to each tenant the same",
    "fixed": "by fixed parts",
}
_REASONS: Final = {
    "usage": "usage counted after the close",
    "price": "a rate changed",
    "cost": "a fixed or shared cost changed",
}
_PERCENT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PERCENT_DIGITS: Final = Decimal("0.0001")
_NUMBER: Final = Column("No.", "number")
_CODE: Final = Column("Billing code")
_AMOUNT: Final = Column("Amount", "amount")


def entry_tables(statement: TenantStatement) -> Iterator[Table]:
    """A table for each kind that there is any of."""
    if statement.shared:
        yield _shared(statement.shared)
    if statement.other:
        yield _other(statement.other)
    if statement.corrections:
        yield _corrections(statement.corrections)


def _shared(entries: Sequence[NumberedCharge]) -> Table:
    columns = [
        *(_NUMBER, _CODE, Column("Cost"), Column("For"), Column("Shared out")),
        *(Column("Share", "percent"), Column("Of", "amount"), _AMOUNT),
    ]
    rows = [
        Row(
            (
                *_whose(each),
                shown(each.charge.allocation.cost),
                shown(each.charge.description),
                *_part(each.charge.allocation),
                each.amount,
            )
        )
        for each in entries
        if each.charge.allocation
    ]
    return _table("Shared and fixed costs", "Shared costs", columns, rows)


def _part(allocation: Allocation) -> tuple[Cell, ...]:
    return _METHODS[allocation.method], _in_percent(allocation.part), allocation.whole


def _in_percent(part: Fraction) -> Decimal:
    """To four decimals; the amount beside it is exact."""
    exact = _PERCENT.divide(Decimal(part.numerator * 100), Decimal(part.denominator))
    return exact.quantize(_PERCENT_DIGITS, context=_PERCENT).normalize(_PERCENT)


def _other(entries: Sequence[NumberedCharge]) -> Table:
    columns = [
        *(_NUMBER, _CODE, Column("Kind"), Column("For")),
        *(Column("First day", "date"), Column("Last day", "date"), _AMOUNT),
    ]
    rows = [
        Row(
            (
                *_whose(each),
                each.charge.category,
                shown(each.charge.description),
                each.charge.start,
                each.charge.end - timedelta(days=1),
                each.amount,
            )
        )
        for each in entries
    ]
    return _table("Credits and other charges", "Credits and other", columns, rows)


def _corrections(entries: Sequence[NumberedCharge]) -> Table:
    columns = [
        *(_NUMBER, _CODE, Column("Corrects month"), Column("Statement"), Column("Line")),
        *(Column("Because"), Column("For"), _AMOUNT),
    ]
    rows = [
        Row((*_whose(each), *_corrected(each.charge.correction), _said(each), each.amount))
        for each in entries
        if each.charge.correction
    ]
    return _table("Corrections of earlier months", "Corrections", columns, rows)


def _corrected(correction: Correction) -> tuple[Cell, ...]:
    return (
        correction.month,
        shown(correction.statement) if correction.statement else "it had none",
        "a new line" if correction.line is None else str(correction.line),
        _REASONS[correction.reason],
    )


def _whose(each: NumberedCharge) -> tuple[Cell, ...]:
    return each.number, label("billing_code", each.billing_code)


def _said(each: NumberedCharge) -> str:
    return shown(each.charge.description)


def _table(title: str, sheet: str, columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    """With the sum of the amounts below."""
    amounts = (row.cells[-1] for row in rows)
    exact = total(each for each in amounts if isinstance(each, Decimal))
    gap = (None,) * (len(columns) - 3)
    foot = Row((None, "Sum", *gap, exact), strong=True)
    return Table(title=title, sheet=sheet, columns=columns, rows=[*rows, foot])

"""Figures as people read them: grouped by thousands, and without losing a digit."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from accountant.money import ZERO, plain, smallest_unit
from accountant.statements.document import Cell, Kind

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_HUNDRED: Final = Decimal(100)
_TENTH: Final = Decimal("0.1")
_SHORT: Final = Context(prec=3, rounding=ROUND_HALF_EVEN)


def decimals(amount: Decimal, currency: str) -> int:
    """How many decimals an amount needs: all that count, and at least the currency's."""
    least = len(plain(smallest_unit(currency)).partition(".")[2])
    return max(least, len(plain(amount).partition(".")[2]))


def money(amount: Decimal, currency: str) -> str:
    """An amount with every digit, such as `1,234.50` or `0.000048`."""
    return f"{amount:,.{decimals(amount, currency)}f}"


def about(amount: Decimal, currency: str) -> str:
    """An amount for a chart: to the smallest unit, or to three digits if that would be nothing."""
    unit = smallest_unit(currency)
    if amount and abs(amount) < unit * 10:
        return f"{amount.normalize(_SHORT):,f}"
    return f"{amount.quantize(unit, context=Context(prec=120)):,f}"


def percent(part: Decimal, whole: Decimal) -> Decimal | None:
    """The part as a percentage, to a tenth; None if there is no whole, or not a part of it.

    Only nothing is 0.0, and only everything is 100.0.
    """
    if whole <= ZERO or not ZERO <= part <= whole:
        return None
    near = (part * _HUNDRED / whole).quantize(_TENTH)
    if part in {ZERO, whole}:
        return near
    return min(max(near, _TENTH), _HUNDRED - _TENTH)


def day(of: date) -> str:
    """A day such as `1 October 2026`."""
    return f"{of.day} {_MONTHS[of.month - 1]} {of.year}"


def month_name(month: int) -> str:
    """A month such as `October`."""
    return _MONTHS[month - 1]


def text_of(cell: Cell, kind: Kind, currency: str) -> str:
    """A cell as text; None is empty."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, date):
        return cell.isoformat()
    if kind in {"number", "percent"}:
        return f"{cell}{'%' * (kind == 'percent')}"
    if kind == "price":
        return plain(Decimal(cell))
    return money(cell, currency) if isinstance(cell, Decimal) else f"{cell:,}"

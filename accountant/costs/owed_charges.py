"""Shared costs, credits and one-off charges, as charges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from accountant.charges import Allocation, Charge
from accountant.costs.exchange_rates import ExchangeRates
from accountant.costs.shared_parts import Bearing, bearings
from accountant.costs.shared_rows import OnceRow, SharedRow
from accountant.costs.usage_costs import UsageCosts
from accountant.money import plain, rounded_part
from tollgate.usage.periods import Month


def shared_charges(
    rows: Sequence[SharedRow], month: Month, costs: UsageCosts, exchange: ExchangeRates
) -> Iterator[Charge]:
    """A charge for each payer of each row.

    A row's part of the month is for its days in equal parts, is converted by the rate of each day,
    and is rounded once to the smallest unit before it is split.

    Args:
        rows: What is shared out.
        month: The month.
        costs: What each payer pays for usage.
        exchange: Into the currency of the books.
    """
    for row in rows:
        whole = rounded_part(_in_books(row, month, exchange), exchange.currency)
        if whole:
            for payer, bearing in bearings(row, whole, costs, exchange.currency).items():
                yield _shared(row, month, payer, (whole, bearing))


def once_charges(
    rows: Sequence[OnceRow],
    category: Literal["Credit", "Adjustment"],
    month: Month,
    exchange: ExchangeRates,
) -> Iterator[Charge]:
    """Credits, which are negative, or charges; converted by the rate of their day, and rounded.

    Args:
        rows: Of that category, of any month.
        category: Which they are.
        month: The month.
        exchange: Into the currency of the books.
    """
    for row in rows:
        if row.is_in(month):
            exact = exchange.in_books(Fraction(row.amount), row.currency, row.day)
            amount = rounded_part(-exact if category == "Credit" else exact, exchange.currency)
            yield Charge(
                tenant=row.tenant,
                billing_code=row.billing_code,
                start=row.day,
                end=row.day + timedelta(days=1),
                category=category,
                description=row.name,
                amount=amount,
                effective=amount,
            )


def _in_books(row: SharedRow, month: Month, exchange: ExchangeRates) -> Fraction:
    days = row.days_in(month)
    a_day = row.amount_in(month) / max(len(days), 1)
    return sum((exchange.in_books(a_day, row.currency, day) for day in days), Fraction())


def _shared(
    row: SharedRow, month: Month, payer: tuple[str, str | None], borne: tuple[Decimal, Bearing]
) -> Charge:
    (tenant, code), (whole, bearing) = payer, borne
    days = row.days_in(month)
    return Charge(
        tenant=tenant,
        billing_code=code,
        start=days[0],
        end=days[-1] + timedelta(days=1),
        category="Purchase",
        description=f"{row.name}, {_shared_how(row, tenant)}",
        amount=bearing.amount,
        effective=bearing.amount,
        allocation=Allocation(
            cost=row.name, method=row.method, share=plain(bearing.share), whole=whole
        ),
    )


def _shared_how(row: SharedRow, tenant: str) -> str:
    if row.shares is not None:
        return f"fixed share {plain(row.shares[tenant])}%"
    return "evenly" if row.method == "even" else "by usage cost"

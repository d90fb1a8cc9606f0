"""Builds what the tests of planning speak of: days that cost something, and when one looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from accounting import DAY, OCTOBER, sku
from exporting import owed, usage

from accountant.charges import (
    Allocation,
    Charge,
    Consumption,
    Correction,
    Price,
    SplitMethod,
    Uncharged,
)
from accountant.planning.as_of import AsOf
from accountant.planning.daily_spend import DailySpend
from accountant.planning.forecast import Horizon
from tollgate.usage.periods import Month

AUGUST, SEPTEMBER = Month(2026, 8), Month(2026, 9)
COUNTED = Consumption(sku=sku(), meter="input", quantity=1000, requests=1)
WEEK = ("100", "110", "105", "100", "90", "20", "15")  # Monday first


def cost(day: date, amount: str, tenant: str = "contoso", model: str = "gpt-4o-mini") -> Charge:
    """A day's usage that cost so much."""
    consumed = Consumption(sku=sku(model=model), meter="input", quantity=1000, requests=1)
    price = Price(listed=Decimal(amount), charged=Decimal(amount), per=1000)
    return usage(
        tenant=tenant,
        start=day,
        end=day + timedelta(days=1),
        amount=Decimal(amount),
        effective=Decimal(amount),
        consumed=consumed,
        price=price,
    )


def fixed(
    amount: str,
    method: SplitMethod = "used",
    *,
    start: date = DAY,
    tokens: tuple[tuple[str, int], ...] = (),
    requests: int = 0,
) -> Charge:
    """Half of a fixed cost."""
    share = Allocation(
        cost="ptu",
        method=method,
        share="0.5",
        whole=Decimal(amount) * 2,
        tokens=tokens,
        requests=requests,
    )
    return owed(amount, allocation=share, start=start)


def corrected(amount: str) -> Charge:
    """Usage of the month before, which was counted after its close."""
    late = Correction(month="2026-09", statement=None, line=None, reason="usage")
    charge = usage(amount=Decimal(amount), effective=Decimal(amount))
    return msgspec.structs.replace(charge, correction=late)


def left_out(consumed: Consumption | None = COUNTED) -> Uncharged:
    """Usage of contoso without a rate; of None without a count."""
    return Uncharged(
        tenant="contoso",
        billing_code=None,
        start=DAY,
        sku=sku(),
        requests=1,
        consumed=consumed,
    )


def as_of(text: str = "2026-10-16") -> AsOf:
    """A time; by default when half of October is over."""
    return AsOf.parse(text)


def horizon(text: str = "2026-10-16", **changes: Any) -> Horizon:
    """October as of a time."""
    made = Horizon(month=OCTOBER, as_of=as_of(text), currency="USD")
    return msgspec.structs.replace(made, **changes)


def days(
    first: date, count: int, amount: Callable[[date], str] = lambda day: WEEK[day.weekday()]
) -> dict[date, Decimal]:
    """So many days in a row; by default weeks that are all alike."""
    return {
        day: Decimal(amount(day)) for day in (first + timedelta(days=step) for step in range(count))
    }


def spend_of(
    series: Mapping[str, Mapping[date, Decimal]],
    beside: Iterable[Charge] = (),
    time: AsOf | None = None,
) -> DailySpend:
    """Daily spend by tenant, with what October charges beside usage."""
    found = DailySpend(time or as_of())
    for tenant, amounts in series.items():
        for day, amount in amounts.items():
            found.add(Month(day.year, day.month), cost(day, str(amount), tenant))
    for charge in beside:
        found.add(OCTOBER, charge)
    return found

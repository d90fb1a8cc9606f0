"""Who bears what of provisioned throughput: the used part of every hour, and the idle rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import lcm

import msgspec

from accountant.costs.payers import UNALLOCATED, Payer
from accountant.costs.provisioned_rows import HOURS_A_DAY, ProvisionedRow
from accountant.costs.provisioned_use import Load
from tollgate.usage.periods import Month

# `used` or `idle`, the tenant and its billing code.
Part = tuple[str, str, str | None]
Parts = dict[Part, Fraction]


class _Hour(msgspec.Struct, frozen=True):
    """An hour in which somebody used it.

    Args:
        units: What each payer used, in units of which an input token has a whole number.
        per_unit: What one of them costs.
        idle: What nobody used costs.
    """

    units: Mapping[Payer, int]
    per_unit: Fraction
    idle: Fraction


def parts(
    row: ProvisionedRow,
    month: Month,
    hours: Mapping[str, Mapping[Payer, Load]],
    price_on: Callable[[date], Fraction],
) -> Parts:
    """What each payer bears of a row's cost in a month, exactly.

    In an hour a payer bears used / max(capacity, all that was used) of its cost; the rest is idle.

    Args:
        row: What is provisioned.
        month: The month, all of whose hours on the row's days are paid for.
        hours: What was used by UTC hour and payer.
        price_on: What an hour of a UTC day costs, in the currency of the books.
    """
    weight = row.weight_of_output()
    capacity = row.capacity_per_hour() * weight.denominator
    busy: list[_Hour] = []
    unused = Fraction()
    for day in row.days_in(month):
        price = price_on(day)
        for hour in range(HOURS_A_DAY):
            units = _units(hours.get(f"{day}T{hour:02d}", {}), weight)
            used = sum(units.values())
            most = max(capacity, used)
            if used:
                busy.append(_Hour(units, price / most, price * (most - used) / most))
            else:
                unused += price
    used_parts = _summed((hour.units, hour.per_unit) for hour in busy)
    idle_parts = _idle(busy, row, unused)
    return {
        (method, *payer): amount
        for method, amounts in (("used", used_parts), ("idle", idle_parts))
        for payer, amount in amounts.items()
        if amount
    }


def _units(loads: Mapping[Payer, Load], weight: Fraction) -> dict[Payer, int]:
    return {
        payer: load.uncached * weight.denominator + load.out * weight.numerator
        for payer, load in loads.items()
    }


def _idle(busy: Sequence[_Hour], row: ProvisionedRow, unused: Fraction) -> dict[Payer, Fraction]:
    """What nobody used, by the row's policy; spread, a busy hour's goes to its own users."""
    if row.idle != "spread" or not busy:
        owner = (row.idle_tenant or UNALLOCATED, row.idle_billing_code)
        return {owner: sum((hour.idle for hour in busy), unused)}
    by_hour = _summed((hour.units, hour.idle / sum(hour.units.values())) for hour in busy)
    by_month = _summed((hour.units, Fraction(1)) for hour in busy)
    every = sum(by_month.values(), Fraction())
    return {payer: by_hour[payer] + unused * by_month[payer] / every for payer in by_month}


def _summed(hours: Iterable[tuple[Mapping[Payer, int], Fraction]]) -> dict[Payer, Fraction]:
    """Units times prices by payer, over one denominator of all hours: fractions grow with each."""
    priced = list(hours)
    whole = lcm(*(price.denominator for _, price in priced))
    sums: dict[Payer, int] = {}
    for used, price in priced:
        factor = price.numerator * (whole // price.denominator)
        for payer, units in used.items():
            sums[payer] = sums.get(payer, 0) + units * factor
    return {payer: Fraction(units, whole) for payer, units in sums.items()}

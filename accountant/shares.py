"""Exact shares in a currency's smallest unit, by largest remainder."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from accountant.lines import name_order
from accountant.money import EXACT, rounded_down, smallest_unit, total

Name = TypeVar("Name", bound=str | None)


def shares(exact: Mapping[Name, Decimal], currency: str) -> dict[Name, Decimal]:
    """Whole units for each name, which add up to the exact sum rounded down.

    Each is rounded down; the units that are then left go to the largest remainders, and of equal
    ones to the first by name. So each is less than a unit from its exact amount, in any order.

    Args:
        exact: The exact amounts, of either sign.
        currency: ISO 4217.
    """
    names = sorted(exact, key=name_order)
    whole = {name: rounded_down(exact[name], currency) for name in names}
    unit = smallest_unit(currency)
    left = EXACT.subtract(rounded_down(total(exact.values()), currency), total(whole.values()))
    by_remainder = sorted(names, key=lambda name: EXACT.subtract(whole[name], exact[name]))
    for name in by_remainder[: int(left / unit)]:
        whole[name] = EXACT.add(whole[name], unit)
    return whole

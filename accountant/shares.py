"""Exact shares by largest remainder: of money in a currency's smallest unit, and of one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final, TypeVar

from accountant.lines import name_order
from accountant.money import EXACT, smallest_unit

# A name, or a payer: a tenant with its billing code.
Name = TypeVar("Name", bound=str | tuple[str | None, ...] | None)

_RATIO_PLACES: Final = 12


def shares(
    exact: Mapping[Name, Decimal] | Mapping[Name, Fraction], currency: str
) -> dict[Name, Decimal]:
    """Whole units for each name, which add up to the exact sum rounded down.

    Each is rounded down; the units that are then left go to the largest remainders, and of equal
    ones to the first by name. So each is less than a unit from its exact amount, in any order.

    Args:
        exact: The exact amounts, of either sign.
        currency: ISO 4217.
    """
    return _in_units(exact, smallest_unit(currency))


def split(whole: Decimal, weights: Mapping[Name, Fraction], currency: str) -> dict[Name, Decimal]:
    """The whole, shared out by weight; empty if there is nothing to share it by.

    Args:
        whole: In whole smallest units of the currency.
        weights: None is negative.
        currency: ISO 4217.
    """
    return shares(
        {name: part * Fraction(whole) for name, part in _parts(weights).items()}, currency
    )


def ratios(weights: Mapping[Name, Fraction]) -> dict[Name, Decimal]:
    """Each weight's part of all, to 12 places; they add up to exactly 1."""
    return _in_units(_parts(weights), Decimal(1).scaleb(-_RATIO_PLACES))


def _parts(weights: Mapping[Name, Fraction]) -> dict[Name, Fraction]:
    everything = sum(weights.values(), Fraction())
    return {name: weight / everything for name, weight in weights.items()} if everything else {}


def _in_units(
    exact: Mapping[Name, Decimal] | Mapping[Name, Fraction], unit: Decimal
) -> dict[Name, Decimal]:
    size = Fraction(unit)
    units = {name: Fraction(exact[name]) / size for name in sorted(exact, key=_order)}
    whole = {name: floor(count) for name, count in units.items()}
    left = floor(sum(units.values(), Fraction())) - sum(whole.values())
    by_remainder = sorted(units, key=lambda name: whole[name] - units[name])
    for name in by_remainder[:left]:
        whole[name] += 1
    return {name: EXACT.multiply(Decimal(count), unit) for name, count in whole.items()}


def _order(name: str | tuple[str | None, ...] | None) -> tuple[tuple[int, str], ...]:
    return tuple(map(name_order, name if isinstance(name, tuple) else (name,)))

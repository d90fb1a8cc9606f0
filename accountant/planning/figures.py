"""Figures that are ratios or estimates: exact until they are rounded once, here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor, isqrt
from statistics import NormalDist
from typing import Final

from accountant.money import EXACT, smallest_unit

PRICE_DIGITS: Final = 4  # more than the currency's smallest unit has


def half_up(value: Fraction, unit: Decimal) -> Decimal:
    """A fraction as a whole number of units; what lies between goes up, in size."""
    steps = floor(abs(value) / Fraction(unit) + Fraction(1, 2))
    return EXACT.multiply(unit, Decimal(-steps if value < 0 else steps))


def percent(part: Decimal | Fraction | int, whole: Decimal | Fraction | int) -> Decimal | None:
    """How many per cent a part is, to a tenth; None has no base, as the whole is not above zero."""
    if whole <= 0:
        return None
    return half_up(Fraction(part) / Fraction(whole) * 100, Decimal("0.1"))


def estimate(value: Fraction, currency: str) -> Decimal:
    """An estimate of money, to four digits more than the currency has."""
    return half_up(value, smallest_unit(currency).scaleb(-PRICE_DIGITS))


def unit_cost(amount: Decimal, count: int, per: int, currency: str) -> Decimal | None:
    """What `per` units cost on average; None is of nothing."""
    return estimate(Fraction(amount) * per / count, currency) if count else None


def whole_units(amounts: Sequence[Decimal]) -> tuple[list[int], int]:
    """Amounts as whole numbers of one unit, which work is quicker with, and units per 1."""
    exponents = (amount.as_tuple().exponent for amount in amounts)
    digits = max((-each for each in exponents if isinstance(each, int)), default=0)
    digits = max(digits, 0)
    return [int(EXACT.scaleb(amount, digits)) for amount in amounts], 10**digits


def root(value: Fraction) -> Fraction:
    """The square root, to 30 digits."""
    scale = 10**60
    return Fraction(isqrt(value.numerator * scale // value.denominator), 10**30)


def student_t(level_percent: int, freedom: int) -> Fraction:
    """How many standard errors an interval reaches on each side, by Student's t.

    By the expansion of Abramowitz and Stegun 26.7.5, right to 0.01 from 10 degrees of freedom up.

    Args:
        level_percent: What share of outcomes is to lie inside, from 1 to 99.
        freedom: Degrees of freedom.
    """
    z = Fraction(str(round(NormalDist().inv_cdf((1 + level_percent / 100) / 2), 6)))
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum((term / freedom**power for power, term in enumerate(terms, 1)), Fraction(0))

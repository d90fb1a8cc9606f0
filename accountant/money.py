"""Exact money: `Decimal` that never rounds by itself, and the one rounding of a statement."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import (
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction
from functools import reduce
from math import floor
from typing import Final

# Wide enough for 10**30 units at 40 digits of price; a digit lost is an error, never a rounding.
EXACT: Final = Context(
    prec=120, traps=[DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow]
)
ZERO: Final = Decimal(0)

# ISO 4217: currencies whose smallest unit is not a hundredth.
_WHOLE: Final = re.compile("BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|VND|VUV|XAF|XOF|XPF")
_THOUSANDTHS: Final = re.compile("BHD|IQD|JOD|KWD|LYD|OMR|TND")


def amount_of(quantity: int, unit_price: Decimal, per: int) -> Decimal:
    """What a quantity costs, exactly.

    Args:
        quantity: How many units.
        unit_price: The price of `per` units, in the card's currency.
        per: A power of ten.

    Raises:
        decimal.Inexact: The amount has no exact form, so `per` is no power of ten.
    """
    return EXACT.divide(EXACT.multiply(Decimal(quantity), unit_price), Decimal(per))


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return reduce(EXACT.add, amounts, ZERO)


def smallest_unit(currency: str) -> Decimal:
    """The smallest unit of an ISO 4217 currency: 1, 0.01 or 0.001."""
    digits = 0 if _WHOLE.fullmatch(currency) else 3 if _THOUSANDTHS.fullmatch(currency) else 2
    return Decimal(1).scaleb(-digits)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round half-up to the smallest unit of an ISO 4217 currency."""
    return amount.quantize(smallest_unit(currency), ROUND_HALF_UP, Context(prec=EXACT.prec))


def rounded_part(exact: Fraction, currency: str) -> Decimal:
    """A part of an amount, rounded as `rounded` does; no decimal number need be the part."""
    unit = smallest_unit(currency)
    units = floor(abs(exact) / Fraction(unit) + Fraction(1, 2))
    return EXACT.multiply(Decimal(units if exact >= 0 else -units), unit)


def plain(amount: Decimal) -> str:
    """Every digit that counts and no others: no exponent, no trailing zeros."""
    return format(amount.normalize(EXACT), "f")

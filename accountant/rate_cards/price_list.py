"""A price list of somebody else, as drafts: what it prices, and what of it could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from accountant.rate_cards.rate_card import Rate

MILLION: Final = 1_000_000
_MOST_DIGITS: Final = 20
_LONGEST: Final = 256


class PriceList(msgspec.Struct, frozen=True):
    """What a source says.

    Args:
        rates: One a price, with the source's name in `source`; none of them prices anything yet.
        left_out: What could not be read, in words, and how often.
    """

    rates: list[Rate]
    left_out: Counter[str]


def price_of(value: object, factor: int = 1) -> Decimal | None:
    """A price as the source's JSON has it, times a factor; None if it is none.

    Args:
        value: A number, read as `Decimal` or `int`.
        factor: A power of ten.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    price = Decimal(value) * factor
    digits = -int(price.as_tuple().exponent) if price.is_finite() else None
    fits = digits is not None and digits <= _MOST_DIGITS and 0 <= price < 10**_MOST_DIGITS
    return price if fits else None


def text_of(members: Mapping[str, Any], name: str) -> str:
    """A member that should be text; empty if it is not, or too long to be a name."""
    value = members.get(name)
    if isinstance(value, str) and len(value) <= _LONGEST and value.isprintable():
        return value
    return ""

"""Price, volume and mix: why an amount differs from another, in parts that add up to all of it.

Of the items that both months have, in one unit of measure, with q the quantity, p the average unit
price (amount / quantity), 0 before and 1 after, and P0 = sum(q0 p0) / sum(q0):

    price  = sum(q1 (p1 - p0))
    volume = (sum(q1) - sum(q0)) P0
    mix    = sum(q1 p0) - sum(q1) P0

This is the sales-price, sales-quantity and sales-mix variance of cost accounting (Horngren, Datar,
Rajan: Cost Accounting, chapter on sales-mix and sales-quantity variances), with last month as the
plan. Each unit of measure has a volume of its own: tokens are not added to images. An item of one
month only has no price to compare: its amount is `new`, or `vanished`. What is not usage of the
month (fixed and shared costs, credits, corrections) is `other`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final

import msgspec

from accountant.money import EXACT, ZERO, total

_DIGITS: Final = 12  # behind the point of an effect; more if the difference has more


class Item(msgspec.Struct, frozen=True, order=True):
    """What has a price of its own. Versions, regions and days are averaged, so they are price."""

    unit: str
    model: str | None
    meter: str
    deployment_type: str | None
    scope: str | None
    service_tier: str | None
    prompt_band: str | None


class Used(msgspec.Struct):
    """How much of an item a month used, and what that cost."""

    quantity: int = 0
    amount: Decimal = ZERO


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of a difference."""

    price: Decimal = ZERO
    volume: Decimal = ZERO
    mix: Decimal = ZERO
    new: Decimal = ZERO
    vanished: Decimal = ZERO
    other: Decimal = ZERO


Items = Mapping[Item, Used]


def effects(before: Items, after: Items, other: Decimal) -> Effects:
    """Why one month's items cost more or less than another's.

    Args:
        before: The month to compare with.
        after: The month that is compared.
        other: The difference of what is no usage.

    Returns:
        Parts whose sum is exactly the difference. Price, volume and mix are rounded to 12 digits
        behind the point (more if the difference has more) by largest remainder.
    """
    kept = before.keys() & after.keys()
    new = total(used.amount for item, used in after.items() if item not in kept)
    gone = total(used.amount for item, used in before.items() if item not in kept)
    parts = [Fraction(0)] * 3
    for unit in sorted({item.unit for item in kept}):
        pairs = [(before[item], after[item]) for item in kept if item.unit == unit]
        parts = [part + more for part, more in zip(parts, _of_unit(pairs), strict=True)]
    difference = EXACT.subtract(
        total(after[item].amount for item in kept), total(before[item].amount for item in kept)
    )
    price, volume, mix = _fitted(parts, difference)
    return Effects(
        price=price, volume=volume, mix=mix, new=new, vanished=EXACT.minus(gone), other=other
    )


def added(parts: Iterable[Effects]) -> Effects:
    """The sum, effect by effect."""
    all_of = list(parts)
    sums = {
        name: total(getattr(each, name) for each in all_of) for name in Effects.__struct_fields__
    }
    return Effects(**sums)


def _of_unit(pairs: Sequence[tuple[Used, Used]]) -> tuple[Fraction, Fraction, Fraction]:
    """Price, volume and mix of items that are counted alike."""
    quantity_0 = sum(old.quantity for old, _ in pairs)
    quantity_1 = sum(new.quantity for _, new in pairs)
    cost_0 = sum((Fraction(old.amount) for old, _ in pairs), Fraction(0))
    cost_1 = sum((Fraction(new.amount) for _, new in pairs), Fraction(0))
    at_old_prices = sum(
        (new.quantity * Fraction(old.amount) / old.quantity for old, new in pairs), Fraction(0)
    )
    average = cost_0 / quantity_0
    return (
        cost_1 - at_old_prices,
        (quantity_1 - quantity_0) * average,
        at_old_prices - quantity_1 * average,
    )


def _fitted(parts: Sequence[Fraction], whole: Decimal) -> list[Decimal]:
    """Decimals that add up to the whole, as their fractions do; what is zero stays zero."""
    exponent = whole.as_tuple().exponent
    digits = max(_DIGITS, -exponent if isinstance(exponent, int) else 0)
    units = [part * 10**digits for part in parts]
    least = [floor(each) for each in units]
    left = int(EXACT.scaleb(whole, digits)) - sum(least)
    by_remainder = sorted(range(len(parts)), key=lambda place: least[place] - units[place])
    for place in by_remainder[:left]:
        least[place] += 1
    return [EXACT.scaleb(Decimal(each), -digits) for each in least]

"""The lines of a report: what is priced and what is not, in one stable order."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, get_args

import msgspec

from accountant.meters import TOKEN_METERS
from accountant.rate_cards.price_rules import Adjustment
from tollgate.ledger.cells import OVERFLOW
from tollgate.usage.event import Provenance

PROVENANCES: Final[tuple[str, ...]] = get_args(Provenance)
# What was used is not known, so it has requests and no meters. `none` is not among them: nothing
# was used.
UNCOUNTED: Final = frozenset({"pending", "unknown"})


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One group's use of one meter at one price.

    Args:
        group: The values of the report's `by`, in its order.
        meter: The token leaf as priced, or a unit.
        provenance: Where the counts are from.
        quantity: How much, in `unit`.
        unit: What is counted, in the singular.
        unit_price: What `per` units cost, in the report's currency.
        per: A power of ten.
        amount: What the quantity costs, exactly and unrounded.
        requests: How many requests had any of this meter; not additive over meters.
        list_price: The unit price before discounts and mark-ups; None if there were none.
        adjustments: What made the unit price of it, in that order.
    """

    group: tuple[str | None, ...]
    meter: str
    provenance: str
    quantity: int
    unit: str
    unit_price: Decimal
    per: int
    amount: Decimal
    requests: int
    list_price: Decimal | None = None
    adjustments: tuple[Adjustment, ...] = ()


class UnpricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Usage that is in no total, as no rate holds for it or it is not known.

    Args:
        group: The values of the report's `by`, in its order.
        meter: As in `Line`; None is uncounted: there were requests, their usage is not known.
        provenance: Where the counts are from, or why there are none.
        quantity: How much, in `unit`; None is uncounted.
        unit: What is counted, in the singular; None is uncounted.
        requests: How many requests had any of it.
        rate_for: What a row of the card must match; None is uncounted.
    """

    group: tuple[str | None, ...]
    meter: str | None
    provenance: str
    quantity: int | None
    unit: str | None
    requests: int
    rate_for: dict[str, str | None] | None


def line_order(line: Line) -> tuple[object, ...]:
    """What priced lines are sorted by."""
    made = tuple((each.kind, each.name, each.percent) for each in line.adjustments)
    return (*_order(line), line.unit_price, line.per, line.list_price or line.unit_price, made)


def unpriced_order(line: UnpricedLine) -> tuple[object, ...]:
    """What the other lines are sorted by."""
    return (*_order(line), tuple(map(name_order, (line.rate_for or {}).values())))


def _order(line: Line | UnpricedLine) -> tuple[object, ...]:
    """Groups by name, token leaves as they are listed, units by name, no meter, provenance."""
    group = tuple(map(name_order, line.group))
    return (group, *meter_order(line.meter), PROVENANCES.index(line.provenance))


def meter_order(meter: str | None) -> tuple[int, tuple[int, str]]:
    """Token leaves as they are listed, then units by name, then no meter."""
    leaf = TOKEN_METERS.index(meter) if meter in TOKEN_METERS else len(TOKEN_METERS)
    return (leaf, name_order(meter))


def name_order(name: str | None) -> tuple[int, str]:
    """By name; then the overflow, then what has no name."""
    return (2 if name is None else int(name == OVERFLOW), name or "")

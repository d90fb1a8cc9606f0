"""Where a rate card and somebody else's price list differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from accountant.money import EXACT
from accountant.rate_cards.price_list import PriceList
from accountant.rate_cards.rate_card import MATCH_FIELDS, Rate

_COMPARED: Final = [field for field in MATCH_FIELDS if field != "provenance"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A price of the source that the card has otherwise."""

    rate: Rate
    source: Rate


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison found.

    Args:
        differences: Prices that differ, or are in another currency.
        compared: How many prices of the source the card has a row for.
        not_in_source: The rows of the card that the source says nothing of.
    """

    differences: list[Difference]
    compared: int
    not_in_source: list[Rate]


def drift(rates: Iterable[Rate], source: PriceList, day: date) -> Drift:
    """Compare what holds on a day.

    A price of the source is held against the card's rows for the same meter, of those the ones that
    say most of what it says, and nothing that it denies. What the card has no row for is unpriced
    there, not wrong.
    """
    own: dict[tuple[str, str], list[Rate]] = defaultdict(list)
    for rate in rates:
        if rate.holds_on(day):
            own[rate.model, rate.meter].append(rate)
    differences: list[Difference] = []
    seen: set[int] = set()
    compared = 0
    for theirs in source.rates:
        nearest = _nearest(theirs, own[theirs.model, theirs.meter])
        if theirs.holds_on(day) and nearest:
            compared += 1
            seen |= {id(rate) for rate in nearest}
            if not any(_same(rate, theirs) for rate in nearest):
                differences.append(Difference(rate=nearest[0], source=theirs))
    held = [rate for group in own.values() for rate in group]
    unseen = [rate for rate in held if id(rate) not in seen]
    return Drift(differences=differences, compared=compared, not_in_source=unseen)


def per_million(rate: Rate) -> Decimal:
    """What a million units cost, exactly."""
    return EXACT.divide(EXACT.multiply(rate.unit_price, Decimal(10**6)), Decimal(rate.per))


def _nearest(theirs: Rate, candidates: Sequence[Rate]) -> list[Rate]:
    said = theirs.match()
    scored = [(_agreement(rate, said), rate) for rate in candidates]
    best = max((score for score, _ in scored), default=-1)
    return [rate for score, rate in scored if score == best >= 0]


def _agreement(rate: Rate, said: dict[str, str]) -> int:
    """How many fields are the same in both; -1 if one differs."""
    own = rate.match()
    shared = [field for field in _COMPARED if field in own and field in said]
    narrower = "prompt_band" in own and "prompt_band" not in said
    if narrower or any(own[field] != said[field] for field in shared):
        return -1
    return len(shared)


def _same(rate: Rate, theirs: Rate) -> bool:
    return rate.currency == theirs.currency and per_million(rate) == per_million(theirs)

"""Gaps: days between two rows of the same price on which nothing holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from accountant.rate_cards.rate_card import Rate


def gaps(rates: Sequence[Rate]) -> list[str]:
    """Where a row ends, and the next of the same usage begins later; a wider row may fill it."""
    families: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[Rate]] = defaultdict(list)
    wider: dict[tuple[str, str], list[Rate]] = defaultdict(list)
    for rate in rates:
        families[rate.model, rate.meter, tuple(rate.match().items())].append(rate)
        wider[rate.model, rate.meter].append(rate)
    return [
        _gap(old, new, since)
        for family in families.values()
        for old, new in pairwise(sorted(family, key=lambda rate: rate.effective_from))
        for since in _uncovered(old, new, wider[old.model, old.meter])
    ]


def _uncovered(old: Rate, new: Rate, candidates: Sequence[Rate]) -> Iterator[date]:
    """The first day that no row holds for, if there is one between the two."""
    day, end = old.effective_to, new.effective_from
    fillers = [rate for rate in candidates if rate.match().items() <= old.match().items()]
    while day is not None and day < end:
        holding = [rate for rate in fillers if rate.holds_on(day)]
        if not holding:
            yield day
            return
        ends = [rate.effective_to for rate in holding]
        day = None if None in ends else max(each for each in ends if each is not None)


def _gap(old: Rate, new: Rate, since: date) -> str:
    return (
        f"{new.place}: leaves a gap after {old.place}: nothing prices {new.meter} of {new.model}"
        f" from {since} until {new.effective_from}; move effective_to, or add the row between"
    )

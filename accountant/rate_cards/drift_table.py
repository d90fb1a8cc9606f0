"""Drift in words, a line a price."""

from __future__ import annotations

from collections.abc import Iterator

from accountant.labels import shown
from accountant.money import plain
from accountant.rate_cards.price_drift import Difference, Drift, per_million
from accountant.rate_cards.rate_card import Rate


def drift_lines(found: Drift) -> Iterator[str]:
    """What differs, then what only the card has; prices are of a million units."""
    for each in found.differences:
        yield _difference(each)
    for rate in found.not_in_source:
        yield f"{rate.place}: {_usage(rate)}: {_price(rate)} here, nothing in the source"


def _difference(each: Difference) -> str:
    here, there = _price(each.rate), _price(each.source)
    source = shown(each.source.source)
    return f"{each.rate.place}: {_usage(each.source)}: {here} here, {there} there ({source})"


def _usage(rate: Rate) -> str:
    return shown(", ".join([f"{rate.meter} of {rate.model}", *rate.match().values()]))


def _price(rate: Rate) -> str:
    return f"{plain(per_million(rate))} {rate.currency}/1M"

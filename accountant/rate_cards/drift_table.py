"""Drift in words, a line a price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

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


def drift_members(found: Drift, day: date, left_out: Mapping[str, int]) -> dict[str, object]:
    """The same as members of one JSON object; prices are text, of a million units.

    Args:
        found: What a comparison found.
        day: The UTC day whose prices were compared.
        left_out: What of the source could not be read, and how often.
    """
    return {
        "as_of": day.isoformat(),
        "compared": found.compared,
        "differences": [
            {
                "place": each.rate.place,
                "usage": _usage(each.source),
                "here": _price(each.rate),
                "there": _price(each.source),
                "source": each.source.source,
            }
            for each in found.differences
        ],
        "not_in_source": [
            {"place": rate.place, "usage": _usage(rate), "here": _price(rate)}
            for rate in found.not_in_source
        ],
        "left_out": dict(left_out),
    }


def _difference(each: Difference) -> str:
    here, there = _price(each.rate), _price(each.source)
    source = shown(each.source.source)
    return f"{each.rate.place}: {_usage(each.source)}: {here} here, {there} there ({source})"


def _usage(rate: Rate) -> str:
    return shown(", ".join([f"{rate.meter} of {rate.model}", *rate.match().values()]))


def _price(rate: Rate) -> str:
    return f"{plain(per_million(rate))} {rate.currency}/1M"

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

from accounting import DAY, rate

from accountant.rate_cards.drift_table import drift_lines
from accountant.rate_cards.price_drift import Drift, drift
from accountant.rate_cards.price_list import PriceList
from accountant.rate_cards.rate_card import Rate

SERVED = {"deployment_type": "standard", "scope": "global", "service_tier": "default"}


def compared(own: list[Rate], theirs: list[Rate]) -> Drift:
    return drift(own, PriceList(theirs, Counter()), DAY)


def test_the_same_price_by_another_measure_is_the_same() -> None:
    found = compared([rate("0.15")], [rate("0.00015", per=1000)])
    assert (found.differences, found.compared) == ([], 1)


def test_a_price_or_a_currency_that_differs_is_told() -> None:
    for theirs in (rate("0.12"), rate(currency="EUR")):
        (found,) = compared([rate()], [theirs]).differences
        assert (found.rate.unit_price, found.source) == (Decimal("0.15"), theirs)


def test_a_field_that_the_source_does_not_know_may_be_anything() -> None:
    own = [rate(model_version="2024-07-18", **SERVED), rate("5", model_version="old", **SERVED)]
    assert not compared(own, [rate(**SERVED)]).differences


def test_what_the_card_has_no_row_for_is_not_compared() -> None:
    theirs = [rate(scope="regional"), rate(model="gpt-9"), rate(meter="output")]
    found = compared([rate("1", **SERVED)], theirs)
    assert (found.differences, found.compared) == ([], 0)
    assert len(found.not_in_source) == 1


def test_a_long_prompt_that_the_card_prices_as_a_short_one_is_told() -> None:
    long = rate("0.30", prompt_band="512000+")
    assert compared([rate()], [rate(), long]).differences[0].source == long
    assert not compared([rate(), long], [rate(), long]).differences


def test_only_what_holds_on_the_day_is_compared() -> None:
    before = date(2026, 2, 1)
    assert not compared([rate(effective_to=before)], [rate("1")]).compared
    assert not compared([rate()], [rate("1", effective_to=before)]).compared


def test_lines_say_where_what_and_how_much() -> None:
    theirs = rate("0.00012", per=1000, source="retail", scope="global")
    own = [rate(place="card: row 1"), rate(meter="output", place="card: row 2")]
    assert list(drift_lines(compared(own, [theirs]))) == [
        "card: row 1: input of gpt-4o-mini, global: 0.15 USD/1M here, 0.12 USD/1M there (retail)",
        "card: row 2: output of gpt-4o-mini: 0.15 USD/1M here, nothing in the source",
    ]

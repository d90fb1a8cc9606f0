from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from accounting import card, rate, sku
from costing import fx
from pydantic import ValidationError

from accountant.costs.exchange_rates import ExchangeRates, exchange_clashes
from accountant.errors import CostsError
from accountant.rate_cards.rate_card import Exchange

DAY, NEXT = date(2026, 10, 15), date(2026, 10, 16)
RATES = ExchangeRates([fx("0.9", effective_to=NEXT), fx("0.8", effective_from=NEXT)], "EUR")


def test_an_amount_is_converted_by_the_rate_of_its_day() -> None:
    found = [RATES.in_books(Fraction(1, 3), "USD", day) for day in (DAY, NEXT)]
    assert found == [Fraction(3, 10), Fraction(8, 30)]
    assert RATES.in_books(Fraction(1, 3), "EUR", date(1999, 1, 1)) == Fraction(1, 3)


def test_a_price_is_converted_exactly_and_remembers_what_it_was() -> None:
    (price,) = [card(rate("0.15")).converted(RATES).rate_for(sku(), "input", DAY)]
    assert price is not None
    assert (price.unit_price, price.currency) == (Decimal("0.135"), "EUR")
    assert price.exchange == Exchange(
        currency="USD", unit_price=Decimal("0.15"), rate=Decimal("0.9"), source="decision 4711"
    )


def test_a_card_in_the_currency_of_the_books_is_as_it_was() -> None:
    in_books = card(rate(currency="EUR")).converted(RATES)
    assert in_books.currency == "EUR"
    assert in_books.rate_for(sku(), "input", DAY) == rate(currency="EUR")


def test_the_version_of_a_card_is_that_of_its_rows() -> None:
    assert card().converted(RATES).version == card().version
    assert card().converted(RATES).currency == "EUR"


def test_no_rate_is_guessed_nor_turned_around() -> None:
    turned = ExchangeRates([fx("1.25", source="EUR", to="USD")], "EUR")
    with pytest.raises(CostsError, match="no exchange rate from USD to EUR on 2026-10-15;"):
        turned.in_books(Fraction(1), "USD", DAY)
    with pytest.raises(CostsError, match="no exchange rate from USD to EUR"):
        turned.converted(rate(), DAY)


def test_every_pair_and_day_that_lacks_is_told() -> None:
    rates = ExchangeRates([fx("0.9", effective_to=date(2026, 10, 2))], "EUR")
    days = [date(2026, 10, day) for day in (1, 2, 3, 7)]
    needed = [("USD", day) for day in days] + [("GBP", DAY), ("EUR", DAY)]
    with pytest.raises(CostsError) as caught:
        rates.check(needed)
    assert [each.partition(";")[0] for each in caught.value.problems] == [
        "no exchange rate from GBP to EUR on 2026-10-15",
        "no exchange rate from USD to EUR on 2026-10-02 to 2026-10-03, 2026-10-07",
    ]


def test_what_is_known_is_no_problem() -> None:
    RATES.check([("USD", DAY), ("EUR", DAY)])


def test_a_rate_is_more_than_nothing() -> None:
    with pytest.raises(ValidationError, match="more than 0"):
        fx("0")


def test_two_rates_of_one_day_are_told() -> None:
    (told,) = exchange_clashes([fx("0.9"), fx("0.8", effective_from=DAY), fx("1", source="GBP")])
    assert "USD in EUR has two rates from 2026-10-15" in told

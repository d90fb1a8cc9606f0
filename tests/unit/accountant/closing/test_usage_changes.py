from __future__ import annotations

from decimal import Decimal

from accountant.charges import Price
from accountant.closing.usage_changes import Change, Part, changes, unit_price
from accountant.rate_cards.price_rules import Adjustment

OLD = Price(listed=Decimal("0.15"), charged=Decimal("0.15"), per=1_000_000)
NEW = Price(listed=Decimal("0.20"), charged=Decimal("0.20"), per=1_000_000)
OTHER = Price(listed=Decimal("0.30"), charged=Decimal("0.30"), per=1_000_000)


def of(billed: list[Part], now: Part | None) -> list[Change]:
    return list(changes(billed, now))


def usage(quantity: int, price: Price | None, replaces: Price | None, requests: int = 1) -> Change:
    return Change(quantity=quantity, requests=requests, price=price, replaces=replaces)


def price(quantity: int, at: Price, replaces: Price | None, requests: int = 1) -> Change:
    return Change(quantity=quantity, requests=requests, price=at, replaces=replaces, reason="price")


def test_what_was_billed_as_it_is_needs_nothing() -> None:
    assert of([Part(100, 1, OLD)], Part(100, 1, OLD)) == []
    assert of([], None) == []


def test_late_usage_is_billed_on_the_line_of_its_price() -> None:
    assert of([Part(100, 1, OLD)], Part(130, 2, OLD)) == [usage(30, OLD, OLD)]


def test_usage_that_is_less_is_taken_back() -> None:
    assert of([Part(100, 2, OLD)], Part(40, 1, OLD)) == [usage(-60, OLD, OLD, -1)]


def test_usage_that_is_gone_is_taken_back_as_usage() -> None:
    assert of([Part(100, 1, OLD)], None) == [usage(-100, OLD, OLD, -1)]


def test_usage_that_is_new_has_a_line_only_if_its_price_has_one() -> None:
    assert of([], Part(5, 1, OLD)) == [usage(5, OLD, OLD)]


def test_a_price_that_changed_is_taken_back_and_billed_anew_on_the_same_line() -> None:
    found = of([Part(100, 1, OLD)], Part(100, 1, NEW))
    assert found == [price(-100, OLD, OLD, -1), price(100, NEW, OLD)]


def test_a_price_change_and_late_usage_are_told_apart() -> None:
    found = of([Part(100, 1, OLD)], Part(130, 3, NEW))
    assert found == [price(-100, OLD, OLD, -1), price(100, NEW, OLD), usage(30, NEW, OLD, 2)]


def test_what_earlier_corrections_billed_is_not_billed_again() -> None:
    billed = [Part(100, 1, OLD), Part(-100, -1, OLD), Part(100, 1, NEW)]
    assert of(billed, Part(100, 1, NEW)) == []
    assert of(billed, Part(100, 1, OTHER)) == [price(-100, NEW, NEW, -1), price(100, OTHER, NEW)]


def test_what_was_in_no_charge_and_is_priced_now_is_billed_for_its_price() -> None:
    assert of([Part(100, 1, None)], Part(100, 1, NEW)) == [price(100, NEW, None)]


def test_of_it_only_what_was_known_is_for_the_price() -> None:
    found = of([Part(100, 1, None)], Part(150, 3, NEW))
    assert found == [price(100, NEW, None), usage(50, NEW, NEW, 2)]


def test_once_it_is_billed_it_is_not_billed_again() -> None:
    billed = [Part(100, 1, None), Part(100, 1, NEW)]
    assert of(billed, Part(100, 1, NEW)) == []
    assert of(billed, Part(110, 2, NEW)) == [usage(10, NEW, NEW)]


def test_usage_without_a_price_is_told_beyond_what_was_known() -> None:
    assert of([], Part(7, 1, None)) == [usage(7, None, None)]
    assert of([Part(7, 1, None)], Part(9, 2, None)) == [usage(2, None, None)]
    assert of([Part(7, 1, None)], Part(7, 1, None)) == []
    assert of([Part(7, 1, None)], Part(3, 1, None)) == []


def test_a_price_that_is_gone_takes_everything_back_and_tells_what_is_in_no_charge() -> None:
    found = of([Part(100, 1, OLD)], Part(100, 1, None))
    assert found == [price(-100, OLD, OLD, -1), usage(100, None, None)]


def test_the_same_price_written_otherwise_is_the_same() -> None:
    thousand = Price(
        listed=Decimal("0.0003"),
        charged=Decimal("0.000150"),
        per=1000,
        adjustments=(Adjustment("discount", "EA", Decimal(50)),),
    )
    assert unit_price(thousand) == unit_price(OLD)
    assert of([Part(100, 1, OLD)], Part(130, 2, thousand)) == [usage(30, OLD, OLD)]

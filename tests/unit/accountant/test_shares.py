from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from accountant.shares import ratios, shares, split


@pytest.mark.parametrize(
    ("exact", "currency", "whole"),
    [
        ("0.333 0.333 0.334", "USD", "0.33 0.33 0.34"),
        ("0.005 0.005 0", "USD", "0.01 0.00 0.00"),  # of equal remainders the first by name
        ("-0.005 -0.005 0", "USD", "0.00 -0.01 0.00"),
        ("1.5 1.5 0", "JPY", "2 1 0"),
        ("0.0004 0.0007 0.0009", "BHD", "0.000 0.001 0.001"),
        ("0.004 0.004 0", "USD", "0.00 0.00 0.00"),
    ],
)
def test_units_that_are_left_go_to_the_largest_remainders(
    exact: str, currency: str, whole: str
) -> None:
    amounts = dict(zip("abc", map(Decimal, exact.split()), strict=True))
    found = shares(amounts, currency)
    assert [found[name] for name in "abc"] == [Decimal(each) for each in whole.split()]


def test_a_whole_is_split_by_weight_and_of_equal_payers_the_first_by_name_has_more() -> None:
    weights = {("b", None): Fraction(1), ("a", "x"): Fraction(1), ("a", None): Fraction(1)}
    found = split(Decimal("0.02"), weights, "USD")
    assert [(payer, str(part)) for payer, part in found.items()] == [
        (("a", "x"), "0.01"),
        (("a", None), "0.01"),
        (("b", None), "0.00"),
    ]


def test_with_no_weight_there_is_nothing_to_split_by() -> None:
    assert split(Decimal(1), {"a": Fraction()}, "USD") == {}
    assert ratios({"a": Fraction()}) == {}


def test_ratios_have_twelve_places_and_add_up_to_one() -> None:
    found = ratios(dict.fromkeys("abc", Fraction(1, 7)))
    assert [str(each) for each in found.values()] == [
        "0.333333333334",
        "0.333333333333",
        "0.333333333333",
    ]

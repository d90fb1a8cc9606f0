from __future__ import annotations

from decimal import Decimal

import pytest

from accountant.shares import shares


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

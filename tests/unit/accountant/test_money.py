from __future__ import annotations

from decimal import Decimal, Inexact
from fractions import Fraction

import pytest

from accountant.money import amount_of, plain, rounded, rounded_part, total


def test_amount_has_every_digit() -> None:
    assert amount_of(640, Decimal("0.075"), 1_000_000) == Decimal("0.000048")


def test_amount_of_more_units_than_int64_holds_is_exact() -> None:
    assert plain(amount_of(10**30 + 1, Decimal("0.075"), 1_000_000)) == (
        "75000000000000000000000.000000075"
    )


def test_amount_that_cannot_be_exact_is_refused() -> None:
    with pytest.raises(Inexact):
        amount_of(1, Decimal(1), 3)


def test_total_of_nothing_is_zero() -> None:
    assert total([]) == 0


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.000048", "USD", "0.00"),
        ("0.004999", "USD", "0.00"),
        ("0.005", "USD", "0.01"),
        ("0.015", "USD", "0.02"),
        ("-0.005", "USD", "-0.01"),
        ("1", "USD", "1.00"),
        ("0.5", "JPY", "1"),
        ("0.0005", "KWD", "0.001"),
    ],
)
def test_rounds_half_up_to_the_currencys_smallest_unit(
    amount: str, currency: str, expected: str
) -> None:
    assert str(rounded(Decimal(amount), currency)) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("0.000048000", "0.000048"), ("5E+2", "500"), ("0E-6", "0"), ("1E-9", "0.000000001")],
)
def test_plain_has_no_exponent_and_no_needless_zero(amount: str, expected: str) -> None:
    assert plain(Decimal(amount)) == expected


@pytest.mark.parametrize(
    ("exact", "currency", "expected"),
    [
        (Fraction(1, 3), "USD", "0.33"),
        (Fraction(1, 200), "USD", "0.01"),
        (Fraction(-1, 200), "USD", "-0.01"),
        (Fraction(2, 3), "JPY", "1"),
        (Fraction(1, 2000), "BHD", "0.001"),
        (Fraction(10**40, 3), "JPY", "3" * 40),
    ],
)
def test_a_part_is_rounded_as_amounts_are(exact: Fraction, currency: str, expected: str) -> None:
    assert str(rounded_part(exact, currency)) == expected

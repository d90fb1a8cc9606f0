from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from accountant.planning.figures import estimate, half_up, percent, root, student_t, unit_cost


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(Fraction(5, 100), "0.1"), (Fraction(-5, 100), "-0.1"), (Fraction(4, 100), "0.0")],
)
def test_a_half_is_rounded_away_from_zero(value: Fraction, rounded: str) -> None:
    assert half_up(value, Decimal("0.1")) == Decimal(rounded)


def test_a_percentage_needs_a_base_above_zero() -> None:
    assert percent(1, 3) == Decimal("33.3")
    assert percent(1, 0) is None
    assert percent(1, -1) is None


def test_estimates_have_four_digits_more_than_the_currency() -> None:
    assert estimate(Fraction(1, 3), "USD") == Decimal("0.333333")
    assert estimate(Fraction(1, 3), "JPY") == Decimal("0.3333")


def test_a_unit_cost_of_nothing_is_not_known() -> None:
    assert unit_cost(Decimal(1), 0, 1000, "USD") is None
    assert unit_cost(Decimal(1), 3, 1000, "USD") == Decimal("333.333333")


def test_a_root_is_right_to_many_digits() -> None:
    assert abs(root(Fraction(2)) ** 2 - 2) < Fraction(1, 10**25)


@pytest.mark.parametrize(
    ("level", "freedom", "table"),
    [(80, 21, 1.323), (90, 21, 1.721), (95, 30, 2.042), (99, 84, 2.636), (95, 10, 2.228)],
)
def test_students_t_is_that_of_the_tables(level: int, freedom: int, table: float) -> None:
    assert float(student_t(level, freedom)) == pytest.approx(table, abs=0.01)

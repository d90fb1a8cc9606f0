from __future__ import annotations

from datetime import date

import pytest

from accountant.reconciliation.time_shift import DayBalance, shifted


def days(*balances: tuple[int, int, int]) -> dict[date, DayBalance]:
    """From the 1st on: difference, and what was booked in the first and the last hour."""
    return {
        date(2026, 10, number): DayBalance(*balance) for number, balance in enumerate(balances, 1)
    }


def found(*balances: tuple[int, int, int]) -> list[int]:
    return [day.day for day in shifted(days(*balances))]


def test_what_the_provider_has_early_stands_after_midnight_in_the_ledger() -> None:
    assert shifted(days((30, 0, 0), (-30, 100, 0))) == {
        date(2026, 10, 1): 30,
        date(2026, 10, 2): -30,
    }


def test_what_the_provider_has_late_stands_before_midnight_in_the_ledger() -> None:
    assert found((-30, 0, 100), (30, 0, 0)) == [1, 2]


def test_more_than_was_booked_beside_midnight_cannot_have_moved() -> None:
    assert found((30, 0, 99), (-30, 29, 0)) == []
    assert found((-30, 99, 29), (30, 99, 99)) == []


def test_something_moves_over_every_midnight() -> None:
    assert found((5, 0, 0), (1, 9, 0), (-2, 9, 0), (-4, 9, 0), (0, 9, 0)) == [1, 2, 3, 4]


def test_a_quiet_day_lies_between_two_that_agree() -> None:
    assert found((5, 0, 0), (0, 9, 0), (-5, 9, 0)) == [1, 3]


def test_what_does_not_add_up_to_zero_is_not_explained() -> None:
    assert found((5, 0, 0), (-4, 9, 0), (0, 9, 0)) == []


def test_two_days_agree_beside_one_that_does_not() -> None:
    assert found((7, 0, 0), (5, 1, 0), (-5, 9, 0)) == [2, 3]


def test_a_day_that_is_not_compared_ends_a_run() -> None:
    balances = days((5, 0, 0), (0, 9, 0), (-5, 9, 0))
    del balances[date(2026, 10, 2)]
    assert shifted(balances) == {}


@pytest.mark.parametrize("difference", [0, 5])
def test_one_day_alone_has_nothing_beside_it(difference: int) -> None:
    assert found((difference, 9, 9)) == []

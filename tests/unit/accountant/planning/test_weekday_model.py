from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from spending import WEEK, days

from accountant.planning.weekday_model import WINDOW_DAYS, fitted

FIRST = date(2026, 7, 1)


def last(count: int) -> date:
    return FIRST + timedelta(days=count - 1)


def test_weeks_that_are_all_alike_are_expected_to_go_on_for_certain() -> None:
    model = fitted(days(FIRST, 60), last(60))
    assert model is not None
    coming = [last(60) + timedelta(days=step) for step in range(1, 8)]
    assert [model.expected(day) for day in coming] == [int(WEEK[day.weekday()]) for day in coming]
    assert model.half_width(coming, 95) == 0


def test_four_weeks_are_needed() -> None:
    assert fitted(days(FIRST, 27), last(27)) is None
    assert fitted({}, FIRST) is None
    model = fitted(days(FIRST, 28), last(28))
    assert model is not None
    assert (model.first, model.last, model.days) == (FIRST, last(28), 28)


def test_the_window_is_limited_and_days_after_the_last_are_not_seen() -> None:
    model = fitted(days(FIRST, 120), last(110))
    assert model is not None
    assert (model.days, model.last) == (WINDOW_DAYS, last(110))


def test_days_without_usage_are_zero() -> None:
    only = {day: Decimal(7) for day in days(FIRST, 56) if day.weekday() == 0}
    model = fitted(only, last(56))
    assert model is not None
    assert [model.expected(FIRST + timedelta(days=step)) for step in range(7)].count(
        Fraction(0)
    ) == 6


def test_who_has_stopped_is_expected_to_use_nothing() -> None:
    model = fitted(days(FIRST, 30), last(70))
    assert model is not None
    assert {model.expected(last(70) + timedelta(days=step)) for step in range(7)} == {0}
    assert model.half_width([last(71)], 80) == 0


def test_the_level_is_the_recent_one() -> None:
    doubled = {day: amount * 2 for day, amount in days(last(57), 28).items()}
    model = fitted({**days(FIRST, 56), **doubled}, last(84))
    assert model is not None
    assert sum(model.weekdays) == 2 * sum(map(int, WEEK))


def noisy(seed: int, count: int, likeness: float) -> dict[date, Decimal]:
    """Weeks with 15 % noise, in which a day is like the one before it to a degree."""
    random, error = Random(seed), 0.0  # noqa: S311  noise

    def amount(day: date) -> str:
        nonlocal error
        error = likeness * error + math.sqrt(1 - likeness**2) * random.gauss(0, 1)
        return f"{int(WEEK[day.weekday()]) * max(1 + 0.15 * error, 0):.4f}"

    return days(FIRST, count, amount)


@pytest.mark.parametrize(
    ("history", "horizon", "level", "likeness", "least", "most"),
    [
        (28, 15, 80, 0.0, 0.72, 0.88),
        (45, 30, 80, 0.0, 0.72, 0.88),
        (91, 30, 80, 0.0, 0.74, 0.92),
        (91, 5, 95, 0.0, 0.90, 0.99),
        (91, 30, 80, 0.5, 0.70, 0.90),
        (75, 15, 95, 0.5, 0.88, 0.99),
    ],
)
def test_an_interval_holds_what_comes_about_as_often_as_it_says(  # noqa: PLR0913, PLR0917  a case
    history: int, horizon: int, level: int, likeness: float, least: float, most: float
) -> None:
    inside = 0
    for seed in range(200):
        series = noisy(seed, history + horizon, likeness)
        coming = [*series][history:]
        model = fitted({day: series[day] for day in [*series][:history]}, last(history))
        assert model is not None
        missed = sum(Fraction(series[day]) - model.expected(day) for day in coming)
        inside += abs(missed) <= model.half_width(coming, level)
    assert least <= inside / 200 <= most

"""A weekday-seasonal model of daily spend: a recent level times the weekday's usual part of it.

Trained on whole UTC days, at most `WINDOW_DAYS` of them; a day without usage is zero, and a series
begins on its first day with any.

    level        mean of the last `LEVEL_DAYS` days, which are four of each weekday
    weekday w    mean of the window's days w, divided by the mean of the seven such means
    expected day level x weekday

No trend is assumed. Days deviate in proportion to what is expected of them: the relative variance
is s2 = sum((y - m)^2) / sum(m^2) x n / (n - 7), with m the window's mean of the weekday. If weeks
deviate more than their days would by chance (days that follow each other are alike), s2 is raised
by that ratio. Of coming days with expected amounts f the sum then has the variance

    s2 x (sum(f^2) + sum(f)^2 x sum(g^2) / sum(g)^2),   g: what the model says of the level's days,

the second term being the error of the level, and the interval is that of Student's t with n - 7
degrees of freedom (Hyndman, Athanasopoulos: Forecasting, Principles and Practice, on prediction
intervals).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import lcm
from typing import Final

import msgspec

from accountant.money import ZERO
from accountant.planning.as_of import days_between
from accountant.planning.daily_spend import Days
from accountant.planning.figures import root, student_t, whole_units

WINDOW_DAYS: Final = 91
LEVEL_DAYS: Final = 28
_WEEK: Final = 7


class WeekdayModel(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of a day.

    Args:
        first: The first day that it is trained on.
        last: The last one.
        weekdays: The expected amount, Monday first.
        variance: Of a day, relative to the square of what is expected.
        level_error: The variance of the level, in units of `variance`.
    """

    first: date
    last: date
    weekdays: tuple[Fraction, ...]
    variance: Fraction
    level_error: Fraction

    @property
    def days(self) -> int:
        """How many days it is trained on."""
        return (self.last - self.first).days + 1

    def expected(self, day: date) -> Fraction:
        """The expected amount of a day."""
        return self.weekdays[day.weekday()]

    def half_width(self, days: Iterable[date], level_percent: int) -> Fraction:
        """How far the sum of these days may lie from what is expected, on each side."""
        expected = [self.expected(day) for day in days]
        own, level = sum(each**2 for each in expected), sum(expected) ** 2 * self.level_error
        deviation = root(self.variance * (own + level))
        return student_t(level_percent, self.days - _WEEK) * deviation


def fitted(days: Days, last: date) -> WeekdayModel | None:
    """The model of a series up to its last whole day; None if it has too little history."""
    past = [day for day in days if day <= last]
    if not past:
        return None
    first = max(min(past), last - timedelta(days=WINDOW_DAYS - 1))
    window = days_between(first, last)
    if len(window) < LEVEL_DAYS:
        return None
    values, per = whole_units([days.get(day, ZERO) for day in window])
    means, times = _means(window, values)
    model = [means[day.weekday()] for day in window]
    errors = [value * times - mean for value, mean in zip(values, model, strict=True)]
    level = Fraction(sum(values[-LEVEL_DAYS:]), LEVEL_DAYS * per)
    recent = model[-LEVEL_DAYS:]
    return WeekdayModel(
        first=first,
        last=last,
        weekdays=tuple(level * _ratio(mean * _WEEK, sum(means)) for mean in means),
        variance=_variance(errors, model),
        level_error=_ratio(sum(each**2 for each in recent), sum(recent) ** 2),
    )


def _means(window: Sequence[date], values: Sequence[int]) -> tuple[list[int], int]:
    """The mean of each weekday, Monday first, times what makes all of them whole."""
    sums, counts = [0] * _WEEK, [0] * _WEEK
    for day, value in zip(window, values, strict=True):
        sums[day.weekday()] += value
        counts[day.weekday()] += 1
    times = lcm(*counts)
    return [each * times // count for each, count in zip(sums, counts, strict=True)], times


def _variance(errors: Sequence[int], model: Sequence[int]) -> Fraction:
    """Of a day, relative to its expected amount; raised if weeks deviate more than their days."""
    squares = sum(error**2 for error in errors)
    freedom = Fraction(len(errors), len(errors) - _WEEK)
    variance = _ratio(squares, sum(mean**2 for mean in model)) * freedom
    return variance * max(Fraction(1), _week_ratio(errors))


def _week_ratio(errors: Sequence[int]) -> Fraction:
    """The variance of weeks against that of their days, from the last day backwards."""
    weeks = len(errors) // _WEEK
    kept = errors[-weeks * _WEEK :]
    sums = [sum(kept[start : start + _WEEK]) for start in range(0, len(kept), _WEEK)]
    return _ratio(sum(each**2 for each in sums), sum(error**2 for error in kept))


def _ratio(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)

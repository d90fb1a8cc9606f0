"""Days that cost much more or less than they should, by tenant and model.

What is expected of a day is the median of the same weekday in the `WINDOW_DAYS` days before it,
so no later day changes an answer. How far days usually lie from it is the median absolute deviation
(MAD) of those days from the medians of their weekdays, each divided by its median; 1.4826 MAD is
the standard deviation of normal noise, and one day out of many does not move it. A day is far out
if it lies more than 3.5 of these from what is expected (Iglewicz, Hoaglin: How to Detect and Handle
Outliers, 1993), and by more than the least impact in money, so that noise is silent.

    spike    far above
    drop     far below
    silence  nothing was used, though every same weekday of the window had usage
    new      a tenant's first day of a model, which nothing was expected of

A series with less than `LEAST_DAYS` days before a day is too young for a verdict on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

import msgspec

from accountant.lines import name_order
from accountant.money import EXACT, ZERO
from accountant.planning.as_of import AsOf, days_between
from accountant.planning.daily_spend import Days, Series
from accountant.planning.figures import estimate, middle
from tollgate.usage.periods import Month

WINDOW_DAYS: Final = 56
LEAST_DAYS: Final = 28
DEVIATIONS: Final = Fraction(7, 2)
_NORMAL: Final = Fraction(14826, 10000)  # standard deviation of normal noise, in MAD

AnomalyKind = Literal["spike", "drop", "silence", "new"]


class Anomaly(msgspec.Struct, frozen=True, kw_only=True):
    """A day that is far from what was expected.

    Args:
        day: In UTC.
        tenant: Whose usage.
        model: Of which model; None is unknown.
        kind: In which way.
        expected: What was expected, as an estimate.
        actual: What was charged, exactly.
        threshold: How far from it a day might lie; the least impact if that is more.
    """

    day: date
    tenant: str
    model: str | None
    kind: AnomalyKind
    expected: Decimal
    actual: Decimal
    threshold: Decimal

    @property
    def impact(self) -> Decimal:
        """Actual less expected, in money."""
        return EXACT.subtract(self.actual, self.expected)


class Anomalies(msgspec.Struct, frozen=True, kw_only=True):
    """A month's anomalies, by day, the largest impact first.

    Args:
        found: What is far out.
        judged: How many days of series had a verdict.
        too_young: How many had too little history for one.
    """

    found: list[Anomaly]
    judged: int
    too_young: int


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at, and how closely.

    Args:
        month: The month.
        as_of: Only days that are over then.
        currency: ISO 4217.
        least_impact: What a difference must reach to be told, in the currency.
    """

    month: Month
    as_of: AsOf
    currency: str
    least_impact: Decimal


def anomalies(watch: Watch, usage: Mapping[Series, Days]) -> Anomalies:
    """Judge every whole day of a month, for every tenant and model.

    Args:
        watch: What is looked at.
        usage: Daily amounts of the month and of the days before it.
    """
    begun = {tenant: _begin(tenant, usage) for tenant, _ in usage}
    found: list[Anomaly] = []
    judged = too_young = 0
    for (tenant, model), days in usage.items():
        for day in watch.as_of.whole_days(watch.month):
            if day < min(days):
                continue
            verdict = _Verdict(watch, days, day)
            kind = verdict.kind(known_tenant=(day - begun[tenant]).days >= LEAST_DAYS)
            judged += verdict.has_history
            too_young += not verdict.has_history
            if kind:
                found.append(verdict.anomaly(tenant, model, kind))
    return Anomalies(found=sorted(found, key=_order), judged=judged, too_young=too_young)


class _Verdict:
    """What a day of a series should have cost, and whether it did."""

    def __init__(self, watch: Watch, days: Days, day: date) -> None:
        self.day = day
        self.actual = days.get(day, ZERO)
        self._watch = watch
        self._first = min(days)
        begin = max(self._first, day - timedelta(days=WINDOW_DAYS))
        window = days_between(begin, day - timedelta(days=1))
        self.has_history = len(window) >= LEAST_DAYS
        values = {each: Fraction(days.get(each, ZERO)) for each in window}
        self._same = [value for each, value in values.items() if each.weekday() == day.weekday()]
        medians = _medians(values)
        self._expected = medians.get(day.weekday(), Fraction(0))
        usual = DEVIATIONS * _NORMAL * _relative_mad(values, medians) * self._expected
        self._threshold = max(usual, Fraction(watch.least_impact))

    def kind(self, *, known_tenant: bool) -> AnomalyKind | None:
        """In which way the day is far out; None is as it should be, or too young."""
        impact = Fraction(self.actual) - self._expected
        least = Fraction(self._watch.least_impact)
        if not self.has_history:
            first = self.day == self._first and known_tenant
            return "new" if first and impact >= least else None
        if self.actual == 0 and min(self._same) > 0 and -impact >= least:
            return "silence"
        if abs(impact) > self._threshold:
            return "spike" if impact > 0 else "drop"
        return None

    def anomaly(self, tenant: str, model: str | None, kind: AnomalyKind) -> Anomaly:
        """The verdict as it is told."""
        return Anomaly(
            day=self.day,
            tenant=tenant,
            model=model,
            kind=kind,
            expected=estimate(self._expected, self._watch.currency),
            actual=self.actual,
            threshold=estimate(self._threshold, self._watch.currency),
        )


def _begin(tenant: str, usage: Mapping[Series, Days]) -> date:
    return min(min(days) for (name, _), days in usage.items() if name == tenant)


def _medians(values: Mapping[date, Fraction]) -> dict[int, Fraction]:
    """The median of each weekday that is there."""
    by_weekday: dict[int, list[Fraction]] = {}
    for day, value in values.items():
        by_weekday.setdefault(day.weekday(), []).append(value)
    return {weekday: middle(each) for weekday, each in by_weekday.items()}


def _relative_mad(values: Mapping[date, Fraction], medians: Mapping[int, Fraction]) -> Fraction:
    """The median of how far days lie from their weekday's median, as a part of it."""
    parts = [
        abs(value / medians[day.weekday()] - 1)
        for day, value in values.items()
        if medians[day.weekday()] > 0
    ]
    return middle(parts) if parts else Fraction(0)


def _order(found: Anomaly) -> tuple[object, ...]:
    return (found.day, -abs(found.impact), name_order(found.tenant), name_order(found.model))

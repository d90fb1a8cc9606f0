"""Days that cost much more or less than they should, by tenant and model.

What is expected of a day is the median of the same weekday in the `WINDOW_DAYS` days before it,
so no later day changes an answer. How far days usually lie from what is expected is the median
absolute deviation (MAD) of those days, each from the median of the others of its weekday and as a
part of it; 1.4826 MAD is the standard deviation of normal noise, and a few wild days do not move
it. A day is far out if it lies more than 3.5 of these from what is expected (Iglewicz, Hoaglin: How
to Detect and Handle Outliers, 1993), and by more than the least impact in money, so that noise is
silent. With eight weeks of independent normal noise, about 5 days of 1,000 are so far out.

    spike    far above
    drop     far below
    silence  nothing was used, though every same weekday of the window had usage
    new      a tenant's first day of a model, which nothing was expected of

A series with less than `LEAST_DAYS` days before a day is too young for a verdict on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

import msgspec

from accountant.lines import name_order
from accountant.money import EXACT, ZERO
from accountant.planning.as_of import AsOf
from accountant.planning.daily_spend import Days, Series
from accountant.planning.figures import estimate, whole_units
from tollgate.usage.periods import Month

WINDOW_DAYS: Final = 56
LEAST_DAYS: Final = 28
DEVIATIONS: Final = Fraction(7, 2)
_NORMAL: Final = Fraction(14826, 10000)  # standard deviation of normal noise, in MAD

_PARTS: Final = 10**15  # of what is expected, in which deviations are counted
_WEEK: Final = 7

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
    begun = _begun(usage)
    found: list[Anomaly] = []
    judged = too_young = 0
    for (tenant, model), days in usage.items():
        series = _Series(days)
        known = begun[tenant] + timedelta(days=LEAST_DAYS)
        for day in watch.as_of.whole_days(watch.month):
            if day < series.first:
                continue
            verdict = _Verdict(watch, series, day)
            judged += verdict.has_history
            too_young += not verdict.has_history
            if kind := verdict.kind(known_tenant=day >= known):
                found.append(verdict.anomaly(tenant, model, kind))
    return Anomalies(found=sorted(found, key=_order), judged=judged, too_young=too_young)


class _Series:
    """Amounts by the number of their day, in whole units."""

    def __init__(self, days: Days) -> None:
        self.first = min(days)
        self.days = days
        amounts, self.per = whole_units([*days.values()])
        self._amounts = dict(zip(map(date.toordinal, days), amounts, strict=True))

    def before(self, day: date) -> list[int]:
        """The amounts of the window before a day, from when the series began."""
        end = day.toordinal()
        begin = max(self.first.toordinal(), end - WINDOW_DAYS)
        return [self._amounts.get(each, 0) for each in range(begin, end)]


class _Verdict:
    """What a day of a series should have cost, and whether it did."""

    def __init__(self, watch: Watch, series: _Series, day: date) -> None:
        self.day = day
        self.actual = series.days.get(day, ZERO)
        self._currency = watch.currency
        self._least = Fraction(watch.least_impact)
        self._first = series.first
        window = series.before(day)
        self.has_history = len(window) >= LEAST_DAYS
        weekdays = [sorted(window[start::_WEEK]) for start in range(_WEEK)]
        self._same = weekdays[len(window) % _WEEK]
        self._expected = Fraction(_twice_middle(self._same), 2 * series.per)
        usual = DEVIATIONS * _NORMAL * _relative_mad(weekdays) * self._expected
        self._threshold = max(usual, self._least)
        self._impact = Fraction(self.actual) - self._expected

    def kind(self, *, known_tenant: bool) -> AnomalyKind | None:
        """In which way the day is far out; None is as it should be, or too young."""
        if not self.has_history:
            first = self.day == self._first and known_tenant
            return "new" if first and self._impact >= self._least else None
        if self.actual == 0 and self._same[0] > 0 and -self._impact >= self._least:
            return "silence"
        if abs(self._impact) > self._threshold:
            return "spike" if self._impact > 0 else "drop"
        return None

    def anomaly(self, tenant: str, model: str | None, kind: AnomalyKind) -> Anomaly:
        """The verdict as it is told."""
        return Anomaly(
            day=self.day,
            tenant=tenant,
            model=model,
            kind=kind,
            expected=estimate(self._expected, self._currency),
            actual=self.actual,
            threshold=estimate(self._threshold, self._currency),
        )


def _begun(usage: Mapping[Series, Days]) -> dict[str, date]:
    """The first day of each tenant."""
    found: dict[str, date] = {}
    for (tenant, _), days in usage.items():
        found[tenant] = min(found.get(tenant, date.max), *days)
    return found


def _relative_mad(weekdays: Iterable[Sequence[int]]) -> Fraction:
    """The median of how far days lie from the median of the others of their weekday."""
    parts: list[int] = []
    for amounts in weekdays:
        for place, amount in enumerate(amounts):
            others = _twice_middle(amounts, without=place)
            if others > 0:
                parts.append(abs(2 * amount - others) * _PARTS // others)
    return Fraction(_twice_middle(sorted(parts)), 2 * _PARTS)


def _twice_middle(amounts: Sequence[int], without: int | None = None) -> int:
    """Twice the median of sorted amounts, maybe without one of them; zero of none."""
    count = len(amounts) - (without is not None)
    if count < 1:
        return 0
    low, high = (count - 1) // 2, count // 2
    if without is not None:
        low, high = low + (low >= without), high + (high >= without)
    return amounts[low] + amounts[high]


def _order(found: Anomaly) -> tuple[object, ...]:
    return (found.day, -abs(found.impact), name_order(found.tenant), name_order(found.model))

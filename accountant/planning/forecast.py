"""What a running month will have cost at its end, by tenant and in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

import msgspec

from accountant.money import EXACT, ZERO, total
from accountant.planning.as_of import AsOf, days_between, days_of
from accountant.planning.daily_spend import DailySpend, Days, together
from accountant.planning.figures import estimate
from accountant.planning.weekday_model import WeekdayModel, fitted
from tollgate.usage.periods import Month

# actual: the month is over. weekday: the weekday model. run_rate: too little history for it.
# none: there is nothing yet to go by.
Method = Literal["actual", "weekday", "run_rate", "none"]
DEFAULT_LEVEL: Final = 80


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """How far is looked, and from where.

    Args:
        month: The month.
        as_of: What is known.
        currency: ISO 4217.
        level_percent: How often an interval is to hold what comes.
    """

    month: Month
    as_of: AsOf
    currency: str
    level_percent: int = DEFAULT_LEVEL


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's month, or all tenants'.

    Args:
        month: The month.
        tenant: Whose; None is everyone's.
        actual: Usage of the whole days, exactly.
        today: Usage of the day that is not over, so far, exactly.
        one_offs: What is no usage, as it is charged: fixed and shared costs, credits, corrections.
        coming: What is expected of each day that is not over, today with at least what it has.
        run_rate: The month's end if all its days were as its whole days on average.
        low: The month's end at the lower end of the interval; None has none.
        high: At the upper end.
        method: How `coming` was made.
        trained: The first and last day that the method learned from; None is none.
    """

    month: Month
    tenant: str | None
    actual: Decimal
    today: Decimal
    one_offs: Decimal
    coming: Mapping[date, Decimal]
    run_rate: Decimal | None
    low: Decimal | None
    high: Decimal | None
    method: Method
    trained: tuple[date, date] | None

    @property
    def known(self) -> Decimal:
        """What is charged already, today's part too."""
        return total((self.actual, self.today, self.one_offs))

    @property
    def expected(self) -> Decimal | None:
        """The month's end; None is not known."""
        if self.method == "none":
            return None
        return total((self.actual, self.one_offs, *self.coming.values()))


class MonthForecast(msgspec.Struct, frozen=True, kw_only=True):
    """Each tenant's forecast by name, and that of all.

    The sum of the expected amounts is the total's; its interval is that of the daily sums, as
    tenants do not all err in one direction.
    """

    horizon: Horizon
    tenants: list[Forecast]
    total: Forecast


def month_forecast(horizon: Horizon, spend: DailySpend) -> MonthForecast:
    """Forecast a month from its days and those of the months before it.

    Args:
        horizon: Which month, and as of when.
        spend: Its charges, and those of the months that the model may learn from.
    """
    series = spend.tenants()
    tenants = [
        forecast(horizon, tenant, days, spend.one_offs.get((horizon.month, tenant), ZERO))
        for tenant, days in series.items()
    ]
    return MonthForecast(horizon=horizon, tenants=tenants, total=_total(horizon, tenants, series))


def forecast(horizon: Horizon, tenant: str | None, days: Days, one_offs: Decimal) -> Forecast:
    """Forecast a month of one series.

    Args:
        horizon: Which month, and as of when.
        tenant: Whose series; None is everyone's.
        days: Usage by day, of the month and of those before it.
        one_offs: What is charged beside the month's usage.
    """
    model = fitted(days, horizon.as_of.today - timedelta(days=1))
    made = Forecast(
        month=horizon.month,
        tenant=tenant,
        actual=_sum(days, horizon.as_of.whole_days(horizon.month)),
        today=_today(horizon, days),
        one_offs=one_offs,
        coming={},
        run_rate=_run_rate(horizon, days, one_offs),
        low=None,
        high=None,
        method="none",
        trained=None,
    )
    if horizon.as_of.is_over(horizon.month):
        return msgspec.structs.replace(made, low=made.known, high=made.known, method="actual")
    if model:
        return _by_weekday(horizon, made, model)
    return _by_run_rate(horizon, made, days)


def _by_weekday(horizon: Horizon, made: Forecast, model: WeekdayModel) -> Forecast:
    days = _coming_days(horizon)
    expected = {day: estimate(model.expected(day), horizon.currency) for day in days}
    found = msgspec.structs.replace(
        made,
        coming=_at_least_today(horizon, expected, made.today),
        method="weekday",
        trained=(model.first, model.last),
    )
    return _with_interval(horizon, found, model)


def _by_run_rate(horizon: Horizon, made: Forecast, days: Days) -> Forecast:
    """As the month's whole days on average; before there is one, as those of the history."""
    last = horizon.as_of.today - timedelta(days=1)
    past = [day for day in days if day <= last]
    whole = horizon.as_of.whole_days(horizon.month) or (
        days_between(min(past), last) if past else []
    )
    if not whole:
        return made
    mean = estimate(Fraction(_sum(days, whole)) / len(whole), horizon.currency)
    expected = dict.fromkeys(_coming_days(horizon), mean)
    return msgspec.structs.replace(
        made,
        coming=_at_least_today(horizon, expected, made.today),
        method="run_rate",
        trained=(whole[0], whole[-1]),
    )


def _run_rate(horizon: Horizon, days: Days, one_offs: Decimal) -> Decimal | None:
    whole = horizon.as_of.whole_days(horizon.month)
    if not whole:
        return None
    month = Fraction(_sum(days, whole)) / len(whole) * len(days_of(horizon.month))
    return EXACT.add(estimate(month, horizon.currency), one_offs)


def _total(horizon: Horizon, tenants: Sequence[Forecast], series: Mapping[str, Days]) -> Forecast:
    """What the tenants add up to, with the interval of their daily sums."""
    days = together(series)
    whole = forecast(horizon, None, days, total(each.one_offs for each in tenants))
    if whole.method in {"actual", "none"}:
        return whole
    coming = {
        day: total(each.coming.get(day, ZERO) for each in tenants) for day in _coming_days(horizon)
    }
    found = msgspec.structs.replace(whole, coming=coming)
    model = fitted(days, horizon.as_of.today - timedelta(days=1))
    return _with_interval(horizon, found, model) if model else found


def _with_interval(horizon: Horizon, made: Forecast, model: WeekdayModel) -> Forecast:
    """The ends of the interval, the lower of which is at least what is charged already."""
    width = estimate(
        model.half_width(_coming_days(horizon), horizon.level_percent), horizon.currency
    )
    expected = total((made.actual, made.one_offs, *made.coming.values()))
    return msgspec.structs.replace(
        made,
        low=max(EXACT.subtract(expected, width), made.known),
        high=EXACT.add(expected, width),
    )


def _coming_days(horizon: Horizon) -> list[date]:
    return [day for day in days_of(horizon.month) if day >= horizon.as_of.today]


def _today(horizon: Horizon, days: Days) -> Decimal:
    today = horizon.as_of.today
    return days.get(today, ZERO) if today in days_of(horizon.month) else ZERO


def _at_least_today(
    horizon: Horizon, expected: Mapping[date, Decimal], so_far: Decimal
) -> dict[date, Decimal]:
    today = horizon.as_of.today
    return {day: max(each, so_far) if day == today else each for day, each in expected.items()}


def _sum(days: Days, some: Sequence[date]) -> Decimal:
    return total(days.get(day, ZERO) for day in some)

"""A month's budget of each tenant: how much of it is gone, and on which day it will be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from accountant.labels import shown
from accountant.money import EXACT, ZERO
from accountant.planning.as_of import days_of
from accountant.planning.daily_spend import DailySpend, Days
from accountant.planning.figures import percent
from accountant.planning.forecast import Forecast, Horizon, forecast
from tollgate.errors import SettingsError

DEFAULT_ALERTS: Final = (Decimal("0.5"), Decimal("0.8"), Decimal(1))


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant may spend in a month.

    Args:
        tenant: Whose.
        amount: How much.
        currency: ISO 4217.
        alert_at: Parts of the amount to tell of, as 0.8.
        place: Where it was read, for messages.
    """

    tenant: str
    amount: Decimal
    currency: str
    alert_at: tuple[Decimal, ...] = DEFAULT_ALERTS
    place: str = "budget"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a budget.

    Args:
        at: The part, as 0.8.
        day: The UTC day on which so much is spent, or will be; None: not in the month.
        reached: Whether it is spent already.
    """

    at: Decimal
    day: date | None
    reached: bool


class BurnDown(msgspec.Struct, frozen=True, kw_only=True):
    """A budget against its month.

    Args:
        budget: The budget.
        forecast: What the month costs; its `one_offs` are committed from the first day.
        breach: The first UTC day at whose end more than the budget is spent; None is never.
        alerts: The parts to tell of, the smallest first.
        left_out: Lines of usage that are in no figure, by why: the figures are a lower bound.
    """

    budget: Budget
    forecast: Forecast
    breach: date | None
    alerts: tuple[Alert, ...]
    left_out: Counter[str]

    @property
    def spent(self) -> Decimal:
        """Usage so far, today's part too."""
        return EXACT.add(self.forecast.actual, self.forecast.today)

    @property
    def used_percent(self) -> Decimal | None:
        """What is spent or committed, of the budget; None is of a budget of zero."""
        return percent(self.forecast.known, self.budget.amount)

    @property
    def left(self) -> Decimal:
        """What of the budget is neither spent nor committed; below zero is over it."""
        return EXACT.subtract(self.budget.amount, self.forecast.known)


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """All budgets of a month, by tenant.

    Args:
        horizon: Which month, as of when.
        burn_downs: One a budget.
        without: Tenants that spend and have no budget, with what is charged to them so far.
    """

    horizon: Horizon
    burn_downs: list[BurnDown]
    without: dict[str, Decimal]

    @property
    def elapsed_percent(self) -> Decimal:
        """How much of the month is over, to the second."""
        month = self.horizon.month
        past = self.horizon.as_of.time - month.start
        part = Fraction(int(past.total_seconds()), int((month.end - month.start).total_seconds()))
        return percent(min(max(part, Fraction(0)), Fraction(1)), 1) or ZERO


def budgets(horizon: Horizon, spend: DailySpend, given: Sequence[Budget]) -> Budgets:
    """Set every budget against its tenant's month.

    Args:
        horizon: Which month, as of when.
        spend: Its charges, and those of the months that the model may learn from.
        given: At most one a tenant; of a tenant without usage too.

    Raises:
        SettingsError: A budget is in another currency than the rates.
    """
    _check_currencies(given, horizon.currency)
    names = {each.tenant: each for each in given}
    month, series = horizon.month, spend.tenants()
    forecasts = {
        tenant: forecast(horizon, tenant, series.get(tenant, {}), beside)
        for tenant in sorted({*names, *series})
        for beside in [spend.one_offs.get((month, tenant), ZERO)]
    }
    burn_downs = [
        burn_down(names[tenant], series.get(tenant, {}), each, left_out)
        for tenant, each in forecasts.items()
        if tenant in names
        for left_out in [spend.left_out.get((month, tenant), Counter[str]())]
    ]
    without = {
        tenant: each.known
        for tenant, each in forecasts.items()
        if tenant not in names and each.known
    }
    return Budgets(horizon=horizon, burn_downs=burn_downs, without=without)


def _check_currencies(given: Sequence[Budget], currency: str) -> None:
    unlike = [
        f"{each.place}: the budget of {shown(each.tenant)} is in {each.currency}, but the rates "
        f"are in {currency}; write it in {currency}, or give --rates in {each.currency}"
        for each in given
        if each.currency != currency
    ]
    if unlike:
        raise SettingsError(unlike)


def burn_down(budget: Budget, days: Days, forecast: Forecast, left_out: Counter[str]) -> BurnDown:
    """Set a budget against its tenant's month.

    Args:
        budget: The budget.
        days: The tenant's usage by day.
        forecast: Of the month.
        left_out: Lines of usage that are in no figure, by why.
    """
    spent = spent_by(days, forecast)
    return BurnDown(
        budget=budget,
        forecast=forecast,
        breach=next((day for day, sum_ in spent.items() if sum_ > budget.amount), None),
        alerts=tuple(_alert(budget, at, spent, forecast.known) for at in sorted(budget.alert_at)),
        left_out=left_out,
    )


def spent_by(days: Days, forecast: Forecast) -> dict[date, Decimal]:
    """What is spent at the end of each day, charged or expected, with what is committed."""
    spent, sum_ = dict[date, Decimal](), forecast.one_offs
    for day in days_of(forecast.month):
        sum_ = EXACT.add(sum_, forecast.coming.get(day, days.get(day, ZERO)))
        spent[day] = sum_
    return spent


def _alert(budget: Budget, at: Decimal, spent: Mapping[date, Decimal], known: Decimal) -> Alert:
    limit = EXACT.multiply(budget.amount, at)
    day = next((day for day, sum_ in spent.items() if sum_ >= limit), None)
    return Alert(at=at, day=day, reached=known >= limit)

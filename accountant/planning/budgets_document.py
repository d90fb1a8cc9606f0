"""The burn-down of budgets as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from accountant.labels import shown
from accountant.money import EXACT, plain, rounded
from accountant.planning.budgets import Alert, Budgets, BurnDown
from accountant.planning.columns import (
    EXACT_ELSEWHERE,
    elapsed,
    lower_bound,
    money_columns,
    name_columns,
)
from accountant.planning.figures import percent
from accountant.planning.sheets import Cell, Column, Document, Sheet

_HOW: Final = (
    "Spent is usage, today's so far too. Committed is what is no usage: fixed and shared costs, "
    "credits, corrections. Used is both. The breach is the first UTC day at whose end more than "
    "the budget is spent; `accountant forecast` says how it is foreseen."
)


def budgets_document(found: Budgets) -> Document:
    """Each budget with what is spent, committed and expected of it, and when it is gone."""
    horizon = found.horizon
    return Document(
        kind="budget",
        periods=(str(horizon.month),),
        title=f"Budgets of {horizon.month} (UTC), in {horizon.currency}: "
        f"{plain(found.elapsed_percent)}% of the month is over",
        currency=horizon.currency,
        facts={
            "as_of": str(horizon.as_of),
            "elapsed_percent": plain(found.elapsed_percent),
            "level_percent": horizon.level_percent,
        },
        sheets=[_budgets(found), _alerts(found)],
        notes=[
            elapsed(horizon.as_of, horizon.month),
            _HOW,
            *_without(found),
            *lower_bound((each.budget.tenant, each.left_out) for each in found.burn_downs),
            EXACT_ELSEWHERE,
        ],
    )


def _budgets(found: Budgets) -> Sheet:
    money = ("budget", "spent", "committed", "left", "forecast")
    return Sheet(
        name="budgets",
        columns=[
            *name_columns(("tenant",)),
            *money_columns(**dict(zip(money, money, strict=True))),
            Column("used_percent", "percent", "used"),
            Column("forecast_percent", "percent", "forecast"),
            *money_columns(high=f"high {found.horizon.level_percent}%"),
            Column("breach", "day", "breach"),
            Column("unpriced", "count", "unpriced"),
            Column("uncounted", "count", "uncounted"),
        ],
        rows=[_row(each) for each in found.burn_downs],
        tables={
            "": ("tenant", *money),
            "Used, foreseen, and the day of the breach": (
                "tenant",
                "used_percent",
                "forecast_percent",
                "high",
                "breach",
                "unpriced",
                "uncounted",
            ),
        },
    )


def _row(each: BurnDown) -> Sequence[Cell]:
    forecast, amount = each.forecast, each.budget.amount
    end = forecast.expected
    money = (amount, each.spent, forecast.one_offs, each.left, end)
    foreseen = None if end is None else percent(end, amount)
    left_out = (each.left_out["unpriced"], each.left_out["uncounted"])
    used = (each.used_percent, foreseen, forecast.high)
    return (each.budget.tenant, *money, *used, each.breach, *left_out)


def _alerts(found: Budgets) -> Sheet:
    columns = [
        *name_columns(("tenant",)),
        Column("at_percent", "percent", "at"),
        *money_columns(amount="amount"),
        Column("state", "text", "state"),
        Column("day", "day", "day"),
    ]
    return Sheet(
        name="alerts",
        columns=columns,
        rows=[
            (
                each.budget.tenant,
                percent(alert.at, 1),
                EXACT.multiply(each.budget.amount, alert.at),
                _state(alert),
                alert.day,
            )
            for each in found.burn_downs
            for alert in each.alerts
        ],
        tables={"Thresholds": [column.name for column in columns]},
    )


def _state(alert: Alert) -> str:
    if alert.reached:
        return "reached"
    return "not foreseen" if alert.day is None else "foreseen"


def _without(found: Budgets) -> list[str]:
    currency = found.horizon.currency
    told = [
        f"{shown(tenant)} {rounded(amount, currency):,}" for tenant, amount in found.without.items()
    ]
    return [f"Without a budget, charged so far: {', '.join(told)}."] if told else []

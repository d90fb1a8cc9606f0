"""The forecast of a running month as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from accountant.planning.columns import (
    EXACT_ELSEWHERE,
    elapsed,
    lower_bound,
    money_columns,
    name_columns,
)
from accountant.planning.forecast import Forecast, MonthForecast
from accountant.planning.sheets import Cell, Column, Document, Sheet
from accountant.planning.weekday_model import LEVEL_DAYS, WINDOW_DAYS

_METHODS: Final = {
    "actual": "is over",
    "weekday": "weekdays",
    "run_rate": "run rate",
    "none": "no history",
}


def forecast_document(found: MonthForecast, left_out: Mapping[str, Counter[str]]) -> Document:
    """What is charged, and what the month's end is expected to be.

    Args:
        found: The forecast.
        left_out: Lines of usage of the month that are in no figure, by tenant and why.
    """
    horizon = found.horizon
    return Document(
        kind="forecast",
        periods=(str(horizon.month),),
        title=f"Forecast of {horizon.month} (UTC), in {horizon.currency}",
        currency=horizon.currency,
        facts={
            "as_of": str(horizon.as_of),
            "level_percent": horizon.level_percent,
            "whole_days": len(horizon.as_of.whole_days(horizon.month)),
            "interval": "Student's t of relative daily errors, with the error of the level",
        },
        sheets=[_tenants(found)],
        notes=[
            elapsed(horizon.as_of, horizon.month),
            *_how(found),
            *lower_bound(sorted(left_out.items())),
            EXACT_ELSEWHERE,
        ],
    )


def _tenants(found: MonthForecast) -> Sheet:
    charged = ("usage", "today", "one_offs", "charged")
    ends = ("run_rate", "forecast", "low", "high")
    level = found.horizon.level_percent
    return Sheet(
        name="tenants",
        columns=[
            *name_columns(("tenant",)),
            *money_columns(
                usage="whole days",
                today="today so far",
                one_offs="one-offs",
                charged="charged",
                run_rate="run rate",
                forecast="forecast",
                low=f"low {level}%",
                high=f"high {level}%",
            ),
            Column("method", "text", "by"),
            Column("trained_from", "day", "trained from"),
            Column("trained_to", "day", "to"),
        ],
        rows=[_row(each) for each in found.tenants],
        total=_row(found.total),
        tables={
            "Charged until now": ("tenant", *charged),
            "At the month's end": ("tenant", *ends, "method"),
        },
    )


def _row(each: Forecast) -> Sequence[Cell]:
    first, last = each.trained or (None, None)
    charged = (each.actual, each.today, each.one_offs, each.known)
    ends = (each.run_rate, each.expected, each.low, each.high)
    return (each.tenant, *charged, *ends, _METHODS[each.method], first, last)


def _how(found: MonthForecast) -> list[str]:
    """The methods that were used, each with its window."""
    methods = Counter(each.method for each in found.tenants)
    told: list[str] = []
    if methods["weekday"]:
        days = [each.trained for each in found.tenants if each.method == "weekday"]
        first, last = min(each[0] for each in days if each), max(each[1] for each in days if each)
        told.append(
            f"By weekdays: the mean of the last {LEVEL_DAYS} days times the weekday's usual part, "
            f"without a trend; trained on {first} to {last}, at most {WINDOW_DAYS} days, each "
            "tenant from its first usage."
        )
        told.append(
            f"Interval: {found.horizon.level_percent} of 100 months should end in it, by Student's "
            "t of the model's relative errors; the total's is that of the daily sums, so it is not "
            "the sum of the tenants'."
        )
    if methods["run_rate"]:
        told.append(
            f"By run rate, as there are less than {LEVEL_DAYS} days of history: the month's whole "
            "days on average, without an interval."
        )
    told.append(
        "One-offs (fixed and shared costs, credits, corrections) are added as they are charged; "
        "the rounding of statements is left out. A forecast is no budget."
    )
    return told

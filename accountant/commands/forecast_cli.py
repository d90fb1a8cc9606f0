"""`accountant forecast`: what the running month will have cost at its end."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from accountant.commands.charge_reader import (
    Asked,
    BooksCurrency,
    BooksFolder,
    FixedCosts,
    Period,
    Rates,
    RedisUrl,
)
from accountant.commands.planning_delivery import deliver
from accountant.commands.planning_options import (
    AsOfText,
    Format,
    History,
    Layout,
    Level,
    Out,
    Typed,
)
from accountant.commands.planning_reader import history_read, left_out_of
from accountant.commands.problems import told_problems


def forecast(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    history: History = 3,
    level: Level = 80,
    layout: Format = Layout.TABLE,
    out: Out = None,
    as_of: AsOfText = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Forecast the end of a month, by tenant and in all.

    Usage is forecast by weekday from 28 days of history on, else at its run rate; fixed costs,
    credits and corrections are added as they are. Only whole UTC days are learnt from.
    """
    from accountant.planning.forecast import Horizon, month_forecast
    from accountant.planning.forecast_document import forecast_document

    with told_problems():
        typed = Typed()
        month, time = typed.month(period), typed.as_of(as_of)
        typed.check()
        asked = Asked(rates=rates, redis_url=redis_url, costs=costs, currency=currency, books=books)
        money, spend = history_read(asked, month, history, time)
        horizon = Horizon(month=month, as_of=time, currency=money, level_percent=level)
        found = month_forecast(horizon, spend)
        deliver(forecast_document(found, left_out_of(spend, month)), layout, out)

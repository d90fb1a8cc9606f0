"""`accountant anomalies`: days that cost much more or less than they should."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from typing import Annotated, Final

import typer

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
from accountant.commands.planning_options import AsOfText, Format, Layout, Out, Typed
from accountant.commands.planning_reader import history_read, left_out_of
from accountant.commands.problems import ANSWER_IS_NO, told_problems

_HISTORY: Final = 2  # months before, which hold the window of every day


def anomalies(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    min_impact: Annotated[
        str, typer.Option(metavar="AMOUNT", help="The least difference that is told.")
    ] = "1.00",
    layout: Format = Layout.TABLE,
    out: Out = None,
    as_of: AsOfText = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Find days on which a tenant's use of a model cost much more or less than expected.

    Exit codes: 0 none was found, 1 some were, or there is no usage to look at.
    """
    from accountant.planning.anomalies import Watch
    from accountant.planning.anomalies import anomalies as find
    from accountant.planning.anomalies_document import anomalies_document

    with told_problems():
        typed = Typed()
        month, time = typed.month(period), typed.as_of(as_of)
        least = typed.amount("--min-impact", min_impact)
        typed.check()
        asked = Asked(rates=rates, redis_url=redis_url, costs=costs, currency=currency, books=books)
        money, spend = history_read(asked, month, _HISTORY, time)
        watch = Watch(month=month, as_of=time, currency=money, least_impact=least)
        found = find(watch, spend.usage)
        deliver(anomalies_document(watch, found, left_out_of(spend, month)), layout, out)
    if found.found:
        raise typer.Exit(ANSWER_IS_NO)

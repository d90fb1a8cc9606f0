"""`accountant compare`: a month beside another, and why it differs."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

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
from accountant.commands.planning_options import AsOfText, By, Format, Layout, Out, Typed
from accountant.commands.planning_reader import months_read, nothing_in
from accountant.commands.problems import told_problems
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.planning.as_of import AsOf
    from accountant.planning.sheets import Document

SameDays = Annotated[
    bool,
    typer.Option(
        "--same-days",
        help="As many first days of both as the shorter has, or as are over by --as-of.",
    ),
]


def compare(  # noqa: PLR0913, PLR0917  each is an option of the command
    before: Annotated[
        str, typer.Argument(metavar="BEFORE", help="The month to compare with, as 2026-09.")
    ],
    after: Period,
    by: By = None,
    same_days: SameDays = False,  # noqa: FBT002  a switch as Typer has it
    layout: Format = Layout.TABLE,
    out: Out = None,
    as_of: AsOfText = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Compare two months: what changed, by how much, and why.

    By tenant, billing code and model, unless --by says otherwise.

    The change is split into price, volume, mix, new, vanished and other, which add up to it
    exactly. A percentage of nothing is n/a.
    """
    from accountant.planning.comparison import GROUPS

    with told_problems():
        typed = Typed()
        months = (typed.month(before), typed.month(after))
        fields, time = typed.by(by, GROUPS), typed.as_of(as_of)
        if months[0] == months[1] and not typed.problems:
            typed.problems.append(f"{months[0]} is compared with itself; name two months")
        typed.check()
        first_days = _first_days(typed, months, time) if same_days else None
        asked = Asked(rates=rates, redis_url=redis_url, costs=costs, currency=currency, books=books)
        deliver(_compared(asked, months, fields, time, first_days), layout, out)


def _compared(
    asked: Asked,
    months: tuple[Month, Month],
    by: Sequence[str],
    as_of: AsOf,
    first_days: int | None,
) -> Document:
    from accountant.planning.comparison import MonthCosts, comparison
    from accountant.planning.comparison_document import Months, comparison_document

    costs = (MonthCosts(by, as_of, first_days), MonthCosts(by, as_of, first_days))
    with months_read(asked, months) as readers:
        for reader, into in zip(readers, costs, strict=True):
            for each in reader.read():
                into.add(each)
    found = comparison(by, *costs)
    if not (found.lines or found.left_out):
        raise nothing_in(months)
    compared = Months(
        before=months[0],
        after=months[1],
        currency=readers[0].currency,
        as_of=as_of,
        first_days=first_days,
    )
    return comparison_document(compared, found)


def _first_days(typed: Typed, months: tuple[Month, Month], as_of: AsOf) -> int:
    """How many days both months have, and are over.

    Raises:
        SettingsError: One of them has none yet.
    """
    counts = [len(as_of.whole_days(month)) for month in months]
    for month, count in zip(months, counts, strict=True):
        if not count:
            typed.problems.append(f"--same-days: no day of {month} is over as of {as_of}")
    typed.check()
    return min(counts)

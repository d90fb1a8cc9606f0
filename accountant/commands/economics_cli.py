"""`accountant economics`: what a request and a million tokens cost."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import msgspec
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
from accountant.commands.planning_options import By, Format, Layout, Out, Typed
from accountant.commands.planning_reader import months_read, nothing_in
from accountant.commands.problems import told_problems
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.planning.economics_document import Economics


def economics(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    by: By = None,
    top: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="N", help="The dearest N; others are a row.")
    ] = 10,
    ptu_usd_per_hour: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Show from how many tokens on a PTU is cheaper."),
    ] = None,
    layout: Format = Layout.TABLE,
    out: Out = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Show what 1,000 requests and a million tokens cost, and what prompt caching saved.

    By tenant, unless --by says otherwise.
    """
    from accountant.planning.economics import GROUPS
    from accountant.planning.economics_document import economics_document

    with told_problems():
        typed = Typed()
        month, fields = typed.month(period), typed.by(by or ["tenant"], GROUPS)
        ptu = None
        if ptu_usd_per_hour is not None:
            ptu = typed.amount("--ptu-usd-per-hour", ptu_usd_per_hour)
        typed.check()
        asked = Asked(rates=rates, redis_url=redis_url, costs=costs, currency=currency, books=books)
        found = _read(asked, month, fields)
        _check_currency(ptu, found.currency)
        shown = msgspec.structs.replace(found, top=top, ptu_per_hour=ptu)
        deliver(economics_document(shown), layout, out)


def _read(asked: Asked, month: Month, by: tuple[str, ...]) -> Economics:
    from accountant.planning.economics import MonthUnits
    from accountant.planning.economics_document import Economics

    with months_read(asked, [month]) as readers:
        units = MonthUnits(by, readers[0].list_rate)
        for each in readers[0].read():
            units.add(each)
        units.count_requests(readers[0].requests)
    if not readers[0].tenants:
        raise nothing_in([month])
    return Economics(month=month, currency=readers[0].currency, by=by, units=units)


def _check_currency(ptu: Decimal | None, currency: str) -> None:
    if ptu is not None and currency != "USD":
        raise SettingsError(
            [f"--ptu-usd-per-hour is in USD, but the rates are in {currency}; they do not compare"]
        )

"""`accountant economics`: what a request and a million tokens cost."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Annotated

import typer

from accountant.commands.charge_reader import Period, Rates, RedisUrl
from accountant.commands.planning_reader import (
    By,
    Format,
    Out,
    Typed,
    Where,
    deliver,
    months_read,
    nothing_in,
    watched,
)
from accountant.commands.problems import told_problems
from accountant.commands.report_cli import Layout
from tollgate.errors import SettingsError


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
    redis_url: RedisUrl = None,
) -> None:
    """Show what 1,000 requests and a million tokens cost, and what prompt caching saved.

    Example: accountant economics 2026-10 --by model --ptu-usd-per-hour 1.00
    """
    from accountant.planning.economics import GROUPS, MonthUnits
    from accountant.planning.economics_document import Economics, economics_document

    with told_problems():
        typed = Typed()
        month, fields = typed.month(period), typed.by(by or ["tenant"], GROUPS)
        ptu = None
        if ptu_usd_per_hour is not None:
            ptu = typed.amount("--ptu-usd-per-hour", ptu_usd_per_hour)
        typed.check()
        with months_read(Where(rates=rates, redis_url=redis_url), [month]) as (card, readers):
            _check_currency(ptu, card.currency)
            units = MonthUnits(fields, card.rate_for)
            left_out: dict[str, Counter[str]] = {}
            for each in watched(readers[0], left_out):
                units.add(each)
            units.count_requests(readers[0].requests)
        if not readers[0].tenants:
            raise nothing_in([month])
        asked = Economics(
            month=month,
            currency=card.currency,
            by=fields,
            top=top,
            units=units,
            ptu_per_hour=ptu,
            left_out=left_out,
        )
        deliver(economics_document(asked), layout, out)


def _check_currency(ptu: Decimal | None, currency: str) -> None:
    if ptu is not None and currency != "USD":
        raise SettingsError(
            [f"--ptu-usd-per-hour is in USD, but the rates are in {currency}; they do not compare"]
        )

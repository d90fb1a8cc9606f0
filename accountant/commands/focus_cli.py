"""`accountant focus`: the month as FOCUS, the FinOps Open Cost and Usage Specification."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.commands.charge_reader import (
    Asked,
    BooksFolder,
    ChargeReader,
    Period,
    Rates,
    RedisUrl,
    month_read,
)
from accountant.commands.delivery import delivered

if TYPE_CHECKING:
    from accountant.exports.focus_columns import Books


class Version(StrEnum):
    """The versions of FOCUS that are written."""

    V1_0 = "1.0"
    V1_2 = "1.2"


def focus(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    version: Annotated[Version, typer.Option(help="Of the specification.")] = Version.V1_0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write files there, not to stdout.")
    ] = None,
    account: Annotated[
        str, typer.Option(metavar="ID", help="BillingAccountId of every row.")
    ] = "chargeback",
    issuer: Annotated[
        str,
        typer.Option(metavar="NAME", help="Who provides the service and issues the statements."),
    ] = "Tollgate",
    rates: Rates = None,
    redis_url: RedisUrl = None,
    closed: BooksFolder = None,
) -> None:
    """Write a month as FOCUS, at exact cost.

    A row is a UTC day, billing code, SKU and meter. The rounding of each statement is a row of its
    own. Usage without a rate or a count is in no row: --out has a file of it, and the exit code
    is 1.
    """
    from accountant.exports.focus import focus_header, uncharged_header
    from accountant.exports.focus_columns import Books

    with month_read(Asked(period=period, rates=rates, redis_url=redis_url, books=closed)) as reader:
        books = Books(period=reader.month, currency=reader.currency, account=account, issuer=issuer)
        with ExitStack() as files:
            path = out and out / f"focus-{version}-{reader.month}.csv"
            charged = files.enter_context(delivered(path))
            left_out = _nowhere
            if out:
                left_out = files.enter_context(delivered(out / f"unpriced-{reader.month}.csv"))
            charged(focus_header(version.value))
            left_out(uncharged_header())
            _write(reader, books, version, (charged, left_out))


def _write(
    reader: ChargeReader,
    books: Books,
    version: Version,
    writers: tuple[Callable[[str], object], Callable[[str], object]],
) -> None:
    from accountant.charges import Charge
    from accountant.exports.focus import focus_row, uncharged_row

    charged, left_out = writers
    for each in reader.read():
        if isinstance(each, Charge):
            charged(focus_row(each, books, version.value))
        else:
            left_out(uncharged_row(each, books))


def _nowhere(_: str) -> None:
    """Where rows go that have no file; how many there are is said."""

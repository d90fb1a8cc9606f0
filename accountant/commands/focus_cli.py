"""`accountant focus`: the month as FOCUS, the FinOps Open Cost and Usage Specification."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.commands.charge_reader import (
    Asked,
    BooksCurrency,
    BooksFolder,
    ChargeReader,
    FixedCosts,
    Period,
    Rates,
    RedisUrl,
    month_read,
)
from accountant.commands.delivery import Write, delivered, delivered_together
from accountant.commands.problems import told_problems
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.charges import Charge, Uncharged
    from accountant.exports.books import Books


class Version(StrEnum):
    """The versions of FOCUS that are written."""

    V1_0 = "1.0"
    V1_2 = "1.2"


class Told(StrEnum):
    """What stdout has."""

    CSV = "csv"
    JSON = "json"


FocusRelease = Annotated[Version, typer.Option(help="Of the specification.")]
Files = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write files there, not to stdout.")
]
Account = Annotated[str, typer.Option(metavar="ID", help="BillingAccountId of every row.")]
Issuer = Annotated[
    str,
    typer.Option(metavar="NAME", help="Who provides the service and issues the statements."),
]
Format = Annotated[
    Told, typer.Option("--format", help="json: say what was written to --out, as one object.")
]


def focus(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    version: FocusRelease = Version.V1_0,
    out: Files = None,
    told: Format = Told.CSV,
    account: Account = "chargeback",
    issuer: Issuer = "Tollgate",
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    closed: BooksFolder = None,
) -> None:
    """Write a month as FOCUS, at exact cost.

    A row is a UTC day, billing code, SKU and meter. Parts of shared costs, credits and corrections
    of closed months have rows of their own, as has the rounding of each statement. Usage without a
    rate or a count is in no row: --out has a file of it, and the exit code is 1.
    """
    from accountant.commands.export_summary import books_of

    with told_problems():
        if told is Told.JSON and out is None:
            raise SettingsError(["--format json says which files were written; give --out DIR"])
    asked = Asked(
        period=period,
        rates=rates,
        redis_url=redis_url,
        costs=costs,
        currency=currency,
        books=closed,
    )
    with month_read(asked) as reader:
        books = books_of(reader, account, issuer)
        if out is None:
            with delivered(None) as charged:
                _write(reader.read(), books, version, (charged, _nowhere))
        else:
            write_files(reader, books, version, (out, told))


def write_files(
    reader: ChargeReader, books: Books, version: Version, asked: tuple[Path, Told]
) -> None:
    """Write both files to a directory, and say so as asked."""
    from accountant.commands.export_summary import ExportSummary

    out, told = asked
    names = f"focus-{version}-{reader.month}.csv", f"unpriced-{reader.month}.csv"
    paths = [out / name for name in names]
    summary = ExportSummary()
    with delivered_together(*paths) as (charged, left_out):
        charges = summary.counted(reader.read())
        counts = _write(charges, books, version, (charged, left_out))
    summary.rows.update(dict(zip(paths, counts, strict=True)))
    if told is Told.JSON:
        summary.print_json(reader, books, paths)


def _write(
    charges: Iterable[Charge | Uncharged],
    books: Books,
    version: Version,
    writers: tuple[Write, Write],
) -> tuple[int, int]:
    """Write charges with one, what is in none with the other; how many rows each was."""
    from accountant.charges import Charge
    from accountant.exports.focus import focus_header, focus_rows, uncharged_header, uncharged_row

    charged, left_out = writers
    charged(focus_header(version.value))
    left_out(uncharged_header())
    rows = missing = 0
    for each in charges:
        if isinstance(each, Charge):
            for row in focus_rows(each, books, version.value):
                charged(row)
                rows += 1
        else:
            left_out(uncharged_row(each, books))
            missing += 1
    return rows, missing


def _nowhere(_: str) -> None:
    """Where rows go that have no file; how many there are is said."""

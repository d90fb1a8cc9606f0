"""`accountant journal`: the month as a balanced journal for an ERP."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

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
from accountant.commands.delivery import delivered
from accountant.commands.problems import told_problems
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.exports.accounts import Accounts
    from accountant.exports.journal_template import Template


class JournalFormat(StrEnum):
    """How a journal is written."""

    CSV = "csv"
    JSON = "json"


TemplateFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="A header row, and a row of fields such as {account}."),
]
AccountFiles = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Accounts and dated cost centres (TOML); repeat for more cost centres (CSV). "
        "Default: their names.",
    ),
]


def journal(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    template: TemplateFile = None,
    accounts: AccountFiles = None,
    layout: Annotated[
        JournalFormat, typer.Option("--format", help="How to write it.")
    ] = JournalFormat.CSV,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there, not to stdout.")
    ] = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Write a month as an ERP's journal, to the cent.

    Expense by cost centre stands against clearing. Debits are credits for every tenant. What a
    statement is rounded up has a line of its own, and what corrects closed months is a batch of its
    own. A code that moved within the month is posted to each cost centre for its days.
    """
    with told_problems():
        if template and layout is JournalFormat.JSON:
            raise SettingsError(["--template says the columns of CSV; leave it out for json"])
        columns, where = _read(template, accounts or [])
    asked = Asked(
        period=period, rates=rates, redis_url=redis_url, costs=costs, currency=currency, books=books
    )
    with month_read(asked) as reader:
        text = _written(reader, where, None if layout is JournalFormat.JSON else columns)
        with delivered(out) as write:
            write(text)


def _written(reader: ChargeReader, where: Accounts, columns: Template | None) -> str:
    """The month's postings as CSV with these columns; without columns as JSON."""
    from accountant.charges import Charge
    from accountant.commands.export_summary import books_of
    from accountant.exports.bearers import owed_by_bearer
    from accountant.exports.journal import journal as postings_of
    from accountant.exports.journal_json import journal_json
    from accountant.exports.journal_template import journal_csv

    teams = reader.cost_centres
    where = structs.replace(where, teams=teams.cost_centre) if teams else where
    charges = (each for each in reader.read() if isinstance(each, Charge))
    owed = owed_by_bearer(charges, where)
    books = books_of(reader)
    postings = postings_of(owed, books, where)
    return journal_csv(postings, books, columns) if columns else journal_json(postings, books)


def _read(template: Path | None, accounts: list[Path]) -> tuple[Template, Accounts]:
    """All files; every problem of all of them at once."""
    from accountant.exports.account_files import read_accounts
    from accountant.exports.accounts import Accounts
    from accountant.exports.journal_template import DEFAULT, read_template

    columns, where = DEFAULT, Accounts()
    problems: list[str] = []
    try:
        columns = read_template(template) if template else columns
    except SettingsError as error:
        problems += error.problems
    try:
        where = read_accounts(accounts)
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise SettingsError(problems)
    return columns, where

"""`accountant journal`: the month as a balanced journal for an ERP."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.commands.charge_reader import (
    Asked,
    BooksFolder,
    Period,
    Rates,
    RedisUrl,
    month_read,
)
from accountant.commands.delivery import delivered
from accountant.commands.problems import told_problems
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.exports.journal import Accounts
    from accountant.exports.journal_template import Template


def journal(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="A header row, and a row of fields such as {account}."
        ),
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Accounts and cost centres. Default: their names."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there, not to stdout.")
    ] = None,
    rates: Rates = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Write a month as an ERP's journal, to the cent.

    Expense by cost centre stands against clearing. Debits are credits for every tenant. What a
    statement is rounded up has a line of its own.
    """
    from accountant.charges import Charge
    from accountant.exports.journal import journal as postings_of
    from accountant.exports.journal import owed_by_code
    from accountant.exports.journal_template import journal_csv

    with told_problems():
        columns, where = _read(template, accounts)
    with month_read(Asked(period=period, rates=rates, redis_url=redis_url, books=books)) as reader:
        owed = owed_by_code(each for each in reader.read() if isinstance(each, Charge))
        postings = postings_of(reader.month, owed, reader.currency, where)
        with delivered(out) as write:
            write(journal_csv(postings, reader.month, reader.currency, columns))


def _read(template: Path | None, accounts: Path | None) -> tuple[Template, Accounts]:
    """Both files; every problem of both at once."""
    from accountant.exports.journal import Accounts
    from accountant.exports.journal_accounts import read_accounts
    from accountant.exports.journal_template import DEFAULT, read_template

    columns, where = DEFAULT, Accounts()
    problems: list[str] = []
    try:
        columns = read_template(template) if template else columns
    except SettingsError as error:
        problems += error.problems
    try:
        where = read_accounts(accounts) if accounts else where
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise SettingsError(problems)
    return columns, where

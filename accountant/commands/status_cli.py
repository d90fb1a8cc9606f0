"""`accountant status`: which months are closed, with the chain of them verified."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.commands.charge_reader import BooksFolder
from accountant.commands.close_cli import open_books_to_close
from accountant.commands.delivery import delivered
from accountant.commands.problems import read_month, say, told_problems

if TYPE_CHECKING:
    from accountant.closing.books import Books


class StatusFormat(StrEnum):
    """How the states are written."""

    TABLE = "table"
    JSON = "json"


def status(
    period: Annotated[
        str | None, typer.Argument(metavar="[MONTH]", help="Only this one, with all of it.")
    ] = None,
    layout: Annotated[
        StatusFormat, typer.Option("--format", help="How to write it.")
    ] = StatusFormat.TABLE,
    books: BooksFolder = None,
) -> None:
    """Show which months are closed, and check every byte of them against the chain of digests.

    Exit code 2 and what is wrong, if a closed month was changed or is missing.
    """
    from accountant.closing.status_text import status_json, status_lines
    from accountant.errors import BooksError

    with told_problems():
        month = read_month(period) if period else None
        where = open_books_to_close(books)
        if not where.folder.is_dir():
            say(f"there are no books at {where.folder} yet")
        if problems := where.problems():
            raise BooksError(problems)
        _tell_strays(where)
        with delivered(None) as write:
            if layout is StatusFormat.JSON:
                write(f"{status_json(where, month)}\n")
            else:
                for line in status_lines(where, month):
                    write(f"{line}\n")


def _tell_strays(books: Books) -> None:
    for name in books.strays():
        say(
            f"{books.folder / name}: is part of no closed month: a close that was killed left it,"
            " or the seal that names it is gone"
        )

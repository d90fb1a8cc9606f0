"""`accountant export`: the month's charges as a table for BI."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from accountant.commands.charge_reader import (
    Asked,
    BooksFolder,
    Period,
    Rates,
    RedisUrl,
    month_read,
)
from accountant.commands.delivery import told_write_problems
from accountant.commands.problems import say


class TableFormat(StrEnum):
    """How a table is written."""

    PARQUET = "parquet"


def export(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Write the file there.", show_default=False)
    ],
    layout: Annotated[
        TableFormat, typer.Option("--format", help="How to write it.")
    ] = TableFormat.PARQUET,
    rates: Rates = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Write a month as a table for BI.

    A row is a UTC day, billing code, SKU and meter, in exact decimals. Each statement's rounding is
    a row, so amounts add up to the total. Usage without a rate or a count has a row without an
    amount, and the exit code is 1.
    """
    from accountant.exports.parquet import write_parquet

    with month_read(Asked(period=period, rates=rates, redis_url=redis_url, books=books)) as reader:
        path = out / f"charges-{reader.month}.{layout}"
        with told_write_problems(path):
            write_parquet(path, reader.read(), reader.month, reader.currency)
        say(f"wrote {path}")

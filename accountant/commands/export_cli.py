"""`accountant export`: the month's charges as a table for BI."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.asides import written_together
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
from accountant.commands.delivery import told_write_problems
from accountant.commands.problems import say

if TYPE_CHECKING:
    from accountant.exports.charge_tables import TableFormat


class ExportFormat(StrEnum):
    """How a table is written, or what is said of it."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"


def export(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Write the files there.", show_default=False)
    ],
    formats: Annotated[
        list[ExportFormat] | None,
        typer.Option(
            "--format",
            help="Of the table; repeat for both. json: also say what was written, as one object. "
            "Default: parquet.",
        ),
    ] = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Write a month as a table for BI.

    A row is a UTC day, billing code, SKU and meter, in exact decimals. Parts of shared costs,
    credits, corrections and each statement's rounding are rows, so amounts add up to the total.
    Usage without a rate or a count has a row without an amount, and the exit code is 1.
    """
    wanted = dict.fromkeys(formats or [])
    tables: list[TableFormat] = []
    if ExportFormat.PARQUET in wanted or ExportFormat.CSV not in wanted:
        tables.append("parquet")
    if ExportFormat.CSV in wanted:
        tables.append("csv")
    asked = Asked(
        period=period, rates=rates, redis_url=redis_url, costs=costs, currency=currency, books=books
    )
    with month_read(asked) as reader:
        write_tables(reader, out, tables, told=ExportFormat.JSON in wanted)


def write_tables(
    reader: ChargeReader, out: Path, tables: Sequence[TableFormat], *, told: bool
) -> None:
    """Write the tables in one reading, and say what was written."""
    from accountant.commands.export_summary import ExportSummary, books_of
    from accountant.exports.charge_columns import charge_row
    from accountant.exports.charge_tables import TABLES

    paths = [out / f"charges-{reader.month}.{table}" for table in tables]
    books, summary, rows = books_of(reader), ExportSummary(), 0
    with told_write_problems(paths[0]), written_together(*paths) as asides, ExitStack() as stack:
        made = zip(tables, asides, strict=True)
        writers = [stack.enter_context(TABLES[table](aside)) for table, aside in made]
        for each in summary.counted(reader.read()):
            row = charge_row(each, books)
            for write in writers:
                write(row)
            rows += 1
    for path in paths:
        summary.rows[path] = rows
        say(f"wrote {path}")
    if told:
        summary.print_json(reader, books, paths)

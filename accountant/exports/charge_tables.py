"""A month's charges as Parquet and as CSV: exact decimals, one stable order.

Neither memory nor the order depends on how many there are. DuckDB makes Parquet of a CSV file
written beside the target, where every type is said, so nothing is guessed.
"""

from __future__ import annotations

import csv
import errno
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from decimal import Decimal, Inexact
from pathlib import Path
from typing import Final, Literal

import duckdb

from accountant.asides import scratch_file
from accountant.csv_cells import cell
from accountant.errors import NoRoomForAmount
from accountant.exports.charge_columns import COLUMNS, Row, Value
from accountant.money import EXACT, plain

TableFormat = Literal["parquet", "csv"]
WriteRow = Callable[[Row], object]

_SMALLEST: Final = Decimal("1e-18")
_LARGEST: Final = Decimal(10) ** 20
_LARGEST_INTEGER: Final = 2**63


@contextmanager
def csv_rows(path: Path) -> Generator[WriteRow]:
    """What to write rows of a CSV file with, below its header; text never starts a formula.

    Args:
        path: The file, to be written aside.

    Raises:
        OSError: It cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        yield lambda row: writer.writerow([_safe(row.get(name)) for name in COLUMNS])


@contextmanager
def parquet_rows(path: Path) -> Generator[WriteRow]:
    """What to write rows of a Parquet file with, which is made of them at the end.

    Args:
        path: The file, to be written aside.

    Raises:
        NoRoomForAmount: An amount has more digits than a column.
        OSError: It cannot be written.
    """
    with scratch_file(path.parent) as rows:
        with rows.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            yield lambda row: writer.writerow(
                [_text(_fitting(row.get(name), name)) for name in COLUMNS]
            )
        _convert(rows, path)


TABLES: Final[dict[TableFormat, Callable[[Path], AbstractContextManager[WriteRow]]]] = {
    "parquet": parquet_rows,
    "csv": csv_rows,
}


def _safe(value: Value) -> str:
    return cell(value) if isinstance(value, str) else _text(value)


def _text(value: Value) -> str:
    """A value as CSV has it; null is empty, which no name is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else str("" if value is None else value)


def _fitting(value: Value, column: str) -> Value:
    if isinstance(value, Decimal) and not _fits(value):
        raise _no_room(column, plain(value))
    if isinstance(value, int) and value >= _LARGEST_INTEGER:
        raise _no_room(column, str(value))
    return value


def _no_room(column: str, told: str) -> NoRoomForAmount:
    return NoRoomForAmount(f"{column} {told} does not fit in a {COLUMNS[column]} of Parquet")


def _fits(amount: Decimal) -> bool:
    try:
        EXACT.quantize(amount, _SMALLEST)
    except Inexact:
        return False
    return abs(amount) < _LARGEST


def _convert(rows: Path, parquet: Path) -> None:
    """One thread, since the order of what several write is not stable."""
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    try:
        with duckdb.connect(config={"threads": 1}) as database:
            database.execute(
                f"COPY (SELECT * FROM read_csv({_quoted(rows)}, header=false, auto_detect=false, "  # noqa: S608  quoted
                f"delim=',', quote='\"', escape='\"', nullstr='', columns={{{types}}})) "
                f"TO {_quoted(parquet)} (FORMAT parquet, COMPRESSION zstd)"
            )
    except duckdb.IOException as error:
        raise OSError(errno.EIO, str(error)) from None


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"

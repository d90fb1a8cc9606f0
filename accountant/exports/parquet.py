"""A month's charges as Parquet, by DuckDB: exact decimals, one stable order.

DuckDB reads a CSV file written beside the target, where every type is said, so nothing is guessed;
neither memory nor the order depends on how much there is.
"""

from __future__ import annotations

import csv
import errno
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal, Inexact
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from accountant.asides import scratch_file, written_aside
from accountant.charges import Charge, Uncharged
from accountant.csv_text import OVERFLOW_CELL
from accountant.errors import NoRoomForAmount
from accountant.money import EXACT, plain
from tollgate.ledger.cells import OVERFLOW
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

# 20 digits before the point and 18 after it: DuckDB's widest.
_DECIMAL: Final = "DECIMAL(38,18)"
_SMALLEST: Final = Decimal("1e-18")
_LARGEST: Final = Decimal(10) ** 20
_LARGEST_INTEGER: Final = 2**63
COLUMNS: Final = {
    "period": "VARCHAR",
    "tenant": "VARCHAR",
    "billing_code": "VARCHAR",
    "overflow": "BOOLEAN",
    "start_day": "DATE",
    "end_day": "DATE",
    "category": "VARCHAR",
    "status": "VARCHAR",
    **dict.fromkeys(Sku.__struct_fields__, "VARCHAR"),
    "meter": "VARCHAR",
    "quantity": "BIGINT",
    "unit": "VARCHAR",
    "requests": "BIGINT",
    "per": "BIGINT",
    "list_unit_price": _DECIMAL,
    "unit_price": _DECIMAL,
    "amount": _DECIMAL,
    "effective_amount": _DECIMAL,
    "currency": "VARCHAR",
    "correction": "BOOLEAN",
    "description": "VARCHAR",
}
_Value = str | int | Decimal | None


def write_parquet(
    path: Path, charges: Iterable[Charge | Uncharged], period: Month, currency: str
) -> None:
    """Write a row for each, in their order; the file appears when it is whole.

    `status` is `charged`, or `unpriced` or `uncounted` for usage in no charge, whose amounts are
    null.

    Args:
        path: The file.
        charges: What to write.
        period: Their month.
        currency: ISO 4217.

    Raises:
        NoRoomForAmount: An amount has more digits than a column.
        OSError: It cannot be written.
    """
    with written_aside(path) as aside, scratch_file(path.parent) as rows:
        with rows.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            for each in charges:
                cells = _cells(each, period, currency)
                writer.writerow([_text(cells.get(name), name) for name in COLUMNS])
        _convert(rows, aside)


def _cells(each: Charge | Uncharged, period: Month, currency: str) -> dict[str, _Value]:
    consumed = each.consumed
    sku = each.sku if isinstance(each, Uncharged) else consumed and consumed.sku
    return {
        "period": str(period),
        "tenant": each.tenant,
        "billing_code": OVERFLOW_CELL if each.billing_code == OVERFLOW else each.billing_code,
        "overflow": str(each.billing_code == OVERFLOW),
        "start_day": each.start.isoformat(),
        **(msgspec.structs.asdict(sku) if sku else {}),
        "meter": consumed and consumed.meter,
        "quantity": consumed and consumed.quantity,
        "unit": consumed and consumed.unit,
        "requests": consumed and consumed.requests,
        "currency": currency,
        **(_charged(each) if isinstance(each, Charge) else _uncharged(each)),
    }


def _charged(charge: Charge) -> dict[str, _Value]:
    price = charge.price
    return {
        "end_day": charge.end.isoformat(),
        "category": charge.category,
        "status": "charged",
        "per": price and price.per,
        "list_unit_price": price and price.listed,
        "unit_price": price and price.charged,
        "amount": charge.amount,
        "effective_amount": charge.effective,
        "correction": str(charge.correction is not None),
        "description": charge.description,
    }


def _uncharged(used: Uncharged) -> dict[str, _Value]:
    return {
        "end_day": (used.start + timedelta(days=1)).isoformat(),
        "category": "Usage",
        "status": "unpriced" if used.consumed else "uncounted",
        "requests": used.requests,
        "correction": "False",
    }


def _text(value: _Value, column: str) -> str | int:
    """A value as CSV has it; null is empty, which no name is."""
    if value is None or isinstance(value, str):
        return value or ""
    if not (_fits(value) if isinstance(value, Decimal) else value < _LARGEST_INTEGER):
        told = plain(value) if isinstance(value, Decimal) else value
        raise NoRoomForAmount(f"{column} {told} does not fit in a {COLUMNS[column]} of Parquet")
    return plain(value) if isinstance(value, Decimal) else value


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

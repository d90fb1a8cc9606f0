"""FOCUS as CSV: charges to rows, and what is in no charge to rows of a file of its own."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from io import StringIO
from typing import Final

import msgspec

from accountant.charges import Charge, Uncharged
from accountant.csv_text import name_cell
from accountant.exports.books import Books
from accountant.exports.focus_cells import focus_cells
from accountant.exports.focus_columns import COLUMNS, Cell, FocusVersion
from accountant.money import plain
from tollgate.usage.sku import Sku

# What readers of CSV take for a number or for nothing, if it stands alone in a cell.
_NO_TEXT: Final = re.compile(
    r"[\d.,_\s]+([eE]\d+)?|0[xX][\da-fA-F]+|n/?a|nan|null|none|inf(inity)?|true|false|#n/a.*|<na>",
    re.IGNORECASE,
)
_REPEATED: Final = 1_000
_UNCHARGED: Final = (
    "period",
    "day",
    "tenant",
    "billing_code",
    *Sku.__struct_fields__,
    "meter",
    "quantity",
    "unit",
    "requests",
    "status",
)


def focus_header(version: FocusVersion) -> str:
    """The header row."""
    return _row(COLUMNS[version])


def focus_rows(charge: Charge, books: Books, version: FocusVersion) -> list[str]:
    """A charge as its rows; costs are exact, and what is null is empty.

    Raises:
        NoStatementNumber: The month is closed, and the tenant has no statement in it.
    """
    return [
        _row([_text(cells.get(name)) for name in COLUMNS[version]])
        for cells in focus_cells(charge, books)
    ]


def uncharged_header() -> str:
    """The header row of what is in no charge."""
    return _row(_UNCHARGED)


def uncharged_row(used: Uncharged, books: Books) -> str:
    """Usage in no charge: `unpriced`, for want of a rate, or `uncounted`: not known."""
    sku = map(name_cell, msgspec.structs.astuple(used.sku))
    consumed = used.consumed
    told = (consumed.meter, consumed.quantity, consumed.unit) if consumed else ("", "", "")
    return _row(
        (
            str(books.period),
            used.start.isoformat(),
            name_cell(used.tenant),
            name_cell(used.billing_code),
            *sku,
            *told,
            used.requests,
            "unpriced" if consumed else "uncounted",
        )
    )


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return _safe(cell)
    if isinstance(cell, Decimal):
        digits = plain(cell)  # with a point, as readers take a column of whole numbers for integers
        return digits if "." in digits else f"{digits}.0"
    return f"{cell.isoformat()}T00:00:00Z"


@lru_cache(maxsize=_REPEATED)
def _safe(text: str) -> str:
    """Text that stays text; most cells of a column are the same."""
    return f"'{text}" if _NO_TEXT.fullmatch(text) else name_cell(text)


def _row(cells: Sequence[object]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()

"""A month's charges as a pandas frame, with the columns of the table for BI."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandas as pd

from accountant.charges import Charge, Uncharged
from accountant.exports.books import Books
from accountant.exports.charge_columns import COLUMNS, DECIMAL, charge_row

# What is not known is missing in every one of them, and never 0 or an empty text.
_TYPES: Final = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "BIGINT": "Int64",
    "DATE": "datetime64[s]",
    DECIMAL: "object",
}


def charge_frame(charges: Iterable[Charge | Uncharged], books: Books) -> pd.DataFrame:
    """A row a charge, in their order, as `charge_row` explains it.

    Amounts, prices and shares are `Decimal`, so sums of them are exact; counts are nullable whole
    numbers, days are dates at midnight.

    Args:
        charges: What to show; all of it is held in memory.
        books: Of the month.

    Raises:
        NoStatementNumber: The month is closed, and a tenant has no statement in it.
    """
    rows = [charge_row(each, books) for each in charges]
    return pd.DataFrame(
        {
            name: pd.Series([row.get(name) for row in rows], dtype=_TYPES[kind])
            for name, kind in COLUMNS.items()
        }
    )

"""Sums over pandas frames; the one file that knows pandas, whose typing is not strict."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import pandas as pd

SUMS: Final = ("quantity", "requests")
# Stands for None in a frame, where None would become NaN. No name has a control character.
_NONE: Final = "\x1fnone"
_BATCH: Final = 50_000


def total_by(rows: Iterable[Mapping[str, Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Sum `quantity` and `requests` of the rows that have the same keys.

    The columns hold Python objects: counts stay whole numbers of any size, money stays Decimal,
    and None is a key like any other. Rows are taken in batches, so memory follows the groups.

    Args:
        rows: Each with every key and both counts; other members are left out.
        keys: Names of hashable members.

    Returns:
        One row a group, in no promised order.
    """
    source = iter(rows)
    totals = _frame([], keys)
    while batch := list(islice(source, _BATCH)):
        frame = pd.concat([totals, _frame(batch, keys)], ignore_index=True)
        totals = frame.groupby(list(keys), sort=False, as_index=False)[list(SUMS)].sum()
    return [
        {str(name): None if value == _NONE else value for name, value in row.items()}
        for row in totals.to_dict("records")
    ]


def _frame(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> pd.DataFrame:
    columns = {
        name: pd.Series(
            [_NONE if row[name] is None else row[name] for row in rows],
            dtype=object,
        )
        for name in (*keys, *SUMS)
    }
    return pd.DataFrame(columns)

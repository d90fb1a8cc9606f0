"""Sums of rows that say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

SUMS: Final = ("quantity", "requests")


def total_by(rows: Iterable[Mapping[str, Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Sum `quantity` and `requests` of the rows that have the same keys.

    Counts stay whole numbers of any size, money stays Decimal, and None is a key like any other.
    Memory follows the groups, not the rows.

    Args:
        rows: Each with every key and both counts; other members are left out.
        keys: Names of hashable members.

    Returns:
        One row a group, in no promised order.
    """
    totals: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        group = tuple([row[key] for key in keys])
        counts = totals.setdefault(group, [0, 0])
        counts[0] += row["quantity"]
        counts[1] += row["requests"]
    return [
        dict(zip((*keys, *SUMS), (*group, *counts), strict=True))
        for group, counts in totals.items()
    ]

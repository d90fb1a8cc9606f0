"""Columns and sentences that several planning documents share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from accountant.labels import shown
from accountant.planning.as_of import AsOf, days_of
from accountant.planning.sheets import Column
from tollgate.usage.periods import Month

_HEADINGS: Final = {"billing_code": "billing code"}
EXACT_ELSEWHERE: Final = "Amounts here are rounded one by one; csv and json have every digit."


def name_columns(by: Sequence[str]) -> list[Column]:
    """A column for each field that rows are grouped by."""
    return [Column(field, "name", _HEADINGS.get(field, field)) for field in by]


def money_columns(**headings: str) -> list[Column]:
    """A column of exact money for each name and heading."""
    return [Column(name, "money", heading) for name, heading in headings.items()]


def elapsed(as_of: AsOf, month: Month) -> str:
    """How much of a month is over."""
    return f"As of {as_of}: {len(as_of.whole_days(month))} of {len(days_of(month))} days are over."


def lower_bound(left_out: Iterable[tuple[str, Counter[str]]]) -> list[str]:
    """That usage is missing from the figures, and whose; nothing if there is none.

    Args:
        left_out: Tenants, with lines that are in no figure by why.
    """
    told = [f"{shown(tenant)} {_counts(counts)}" for tenant, counts in left_out if counts.total()]
    if not told:
        return []
    return [f"Lower bound: lines of usage that are in no figure here ({'; '.join(told)})."]


def _counts(counts: Counter[str]) -> str:
    return " and ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))

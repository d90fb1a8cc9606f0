"""Anomalies as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from accountant.money import plain
from accountant.planning.anomalies import LEAST_DAYS, WINDOW_DAYS, Anomalies, Watch
from accountant.planning.columns import (
    EXACT_ELSEWHERE,
    elapsed,
    lower_bound,
    money_columns,
    name_columns,
)
from accountant.planning.sheets import Column, Document, Sheet

_HOW: Final = (
    f"Expected: the median of the same weekday in the {WINDOW_DAYS} days before. Threshold: "
    "3.5 x 1.4826 MAD of these days. Silence: none came, though every such weekday had usage. New: "
    "a tenant's first day of a model."
)


def anomalies_document(
    watch: Watch, found: Anomalies, left_out: Mapping[str, Counter[str]]
) -> Document:
    """What is far from what was expected.

    Args:
        watch: What was looked at.
        found: What is far out.
        left_out: Lines of usage of the month that are in no figure, by tenant and why.
    """
    least = f"{plain(watch.least_impact)} {watch.currency}"
    return Document(
        kind="anomalies",
        periods=(str(watch.month),),
        title=f"Anomalies of {watch.month} (UTC), in {watch.currency}: {len(found.found):,} found",
        currency=watch.currency,
        facts={
            "as_of": str(watch.as_of),
            "method": "median and MAD by weekday",
            "window_days": WINDOW_DAYS,
            "least_impact": plain(watch.least_impact),
            "judged": found.judged,
            "too_young": found.too_young,
        },
        sheets=[_sheet(found)],
        notes=[
            elapsed(watch.as_of, watch.month),
            f"{_HOW} Differences below {least} are not told.",
            _judged(found),
            *lower_bound(sorted(left_out.items())),
            EXACT_ELSEWHERE,
        ],
    )


def _judged(found: Anomalies) -> str:
    return (
        f"{found.judged:,} days of a tenant and model were judged; {found.too_young:,} were not, "
        f"as there are less than {LEAST_DAYS} days of history."
    )


def _sheet(found: Anomalies) -> Sheet:
    columns = [
        Column("day", "day", "day"),
        *name_columns(("tenant", "model")),
        Column("kind", "text", "kind"),
        *money_columns(
            expected="expected", actual="actual", impact="impact", threshold="threshold"
        ),
    ]
    return Sheet(
        name="anomalies",
        columns=columns,
        rows=[
            (
                each.day,
                each.tenant,
                each.model,
                each.kind,
                each.expected,
                each.actual,
                each.impact,
                each.threshold,
            )
            for each in found.found
        ],
        tables={"": [column.name for column in columns]},
    )

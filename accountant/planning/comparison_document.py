"""The comparison of two months as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from accountant.money import plain
from accountant.planning.as_of import AsOf, days_of
from accountant.planning.columns import EXACT_ELSEWHERE, lower_bound, money_columns, name_columns
from accountant.planning.comparison import ComparedLine, Comparison, Volume
from accountant.planning.effects import Effects
from accountant.planning.figures import percent
from accountant.planning.sheets import Cell, Column, Document, Sheet
from tollgate.usage.periods import Month

_EFFECTS: Final = Effects.__struct_fields__
_HOW: Final = (
    (
        "Price, volume and mix are of items that both months have, within a line. An item is a "
        "model, meter, deployment type, scope, service tier and prompt band, at its average price. "
        "Group by fewer fields (--by) to see mix across lines."
    ),
    (
        "New and vanished items are of one month only. Other is what is no usage: fixed and shared "
        "costs, credits, corrections. All effects add up to the change exactly."
    ),
)


class Months(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared.

    Args:
        before: The month to compare with.
        after: The month that is compared.
        currency: ISO 4217.
        as_of: What is known.
        first_days: Only so many first days of both; None is all there are.
    """

    before: Month
    after: Month
    currency: str
    as_of: AsOf
    first_days: int | None

    @property
    def basis(self) -> str:
        """Which days are compared, in words."""
        if self.first_days is not None:
            return f"the first {self.first_days} days of both months"
        counts = [len(days_of(month)) for month in (self.before, self.after)]
        return "whole months of " + " and ".join(f"{count} days" for count in counts)


def comparison_document(months: Months, found: Comparison) -> Document:
    """Lines with their change and effects, and how much the volumes are."""
    running = [each for each in (months.before, months.after) if not months.as_of.is_over(each)]
    return Document(
        kind="compare",
        periods=(str(months.before), str(months.after)),
        title=f"{months.after} against {months.before} (UTC), in {months.currency}: "
        + months.basis,
        currency=months.currency,
        facts={
            "as_of": str(months.as_of),
            "by": list(found.by),
            "days": months.first_days,
            "basis": months.basis,
            "rounding": {"before": plain(found.rounding[0]), "after": plain(found.rounding[1])},
        },
        sheets=[_lines(months, found), _volumes(months, found.volumes)],
        notes=[
            *(f"{month} is not over (as of {months.as_of})." for month in running),
            *_HOW,
            *_rounding(months, found),
            *lower_bound(found.left_out.items()),
            EXACT_ELSEWHERE,
        ],
    )


def _rounding(months: Months, found: Comparison) -> list[str]:
    """What the statements of whole months have beside the lines."""
    if months.first_days is not None:
        return []
    before, after = map(plain, found.rounding)
    told = f"{before} in {months.before}, {after} in {months.after}"
    return [f"The statements add rounding, which is in no line: {told}."]


def _lines(months: Months, found: Comparison) -> Sheet:
    costs = money_columns(before=str(months.before), after=str(months.after), change="change")
    columns = [
        *name_columns(found.by),
        *costs,
        Column("change_percent", "percent", "%"),
        *money_columns(**{name: name for name in _EFFECTS}),
    ]
    return Sheet(
        name="lines",
        columns=columns,
        rows=[_row(line) for line in found.lines],
        total=_row(found.total),
        tables={
            "": (*found.by, "before", "after", "change", "change_percent"),
            "Why it changed": (*found.by, *_EFFECTS),
        },
    )


def _row(line: ComparedLine) -> Sequence[Cell]:
    effects = [getattr(line.effects, name) for name in _EFFECTS]
    amounts = (line.before, line.after, line.change, percent(line.change, line.before))
    return (*line.group, *amounts, *effects)


def _volumes(months: Months, volumes: Sequence[Volume]) -> Sheet:
    return Sheet(
        name="volumes",
        columns=[
            Column("unit", "text", "unit"),
            Column("before", "count", str(months.before)),
            Column("after", "count", str(months.after)),
            Column("new", "count", "new"),
            Column("vanished", "count", "vanished"),
        ],
        rows=[(each.unit, each.before, each.after, each.new, each.vanished) for each in volumes],
        tables={
            "Units that volume is counted in (of items of both months)": (
                "unit",
                "before",
                "after",
                "new",
                "vanished",
            )
        },
    )

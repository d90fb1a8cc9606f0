"""The rows of costs files as tables for a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO
from typing import Any, Final, cast

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from accountant.costs.cost_files import Costs
from accountant.costs.dated_rows import LastingRow, PlacedRow
from accountant.labels import shown

_WIDTH: Final = 160
_DAYS: Final = ("effective_from", "effective_to", "day", "source")


def rows_by_kind(costs: Costs, at: date | None = None) -> dict[str, list[PlacedRow]]:
    """The rows of each kind that there is any of.

    Args:
        costs: What the files say.
        at: Only what holds on this UTC day, and what is of it; None is everything.
    """
    kinds: dict[str, Iterable[PlacedRow]] = {
        "ptu": costs.provisioned,
        "shared": costs.shared,
        "charge": costs.charges,
        "credit": costs.credits,
        "reassign": costs.reassignments,
        "cost_centre": costs.cost_centres,
        "fx": costs.exchange,
    }
    chosen = {kind: [row for row in rows if _holds(row, at)] for kind, rows in kinds.items()}
    return {kind: rows for kind, rows in chosen.items() if rows}


def costs_table(costs: Costs, at: date | None = None) -> str:
    """A table for each kind, of what its rows say; what none of them says has no column."""
    out = StringIO()
    console = Console(file=out, width=_WIDTH, highlight=False, markup=False)
    console.print(f"Costs {costs.version}, books in {costs.currency or 'the currency of the card'}")
    for kind, rows in rows_by_kind(costs, at).items():
        console.print(f"\n{kind}", style="bold")
        console.print(_table(rows))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def costs_json(costs: Costs, at: date | None = None) -> str:
    """One object: the rows by kind, with amounts as text."""
    rows = {kind: [_said(row) for row in found] for kind, found in rows_by_kind(costs, at).items()}
    told = {"version": costs.version, "currency": costs.currency, **rows}
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def _said(row: PlacedRow) -> dict[str, Any]:
    return row.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _holds(row: PlacedRow, at: date | None) -> bool:
    if at is None:
        return True
    return row.holds_on(at) if isinstance(row, LastingRow) else getattr(row, "day", at) == at


def _table(rows: Sequence[PlacedRow]) -> Table:
    fields = type(rows[0]).model_fields
    known = [field.alias or name for name, field in fields.items() if name not in _DAYS]
    said = [_said(row) for row in rows]
    names = [name for name in (*known, *_DAYS) if any(name in row for row in said)]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name.replace("_", " ").removeprefix("effective "), overflow="fold")
    for row in said:
        table.add_row(*(Text(shown(_cell(row.get(name)))) for name in names))
    return table


def _cell(value: object) -> str:
    if isinstance(value, dict):
        parts = cast("dict[str, str]", value)
        return ", ".join(f"{name} {part}" for name, part in parts.items())
    return "" if value is None else "yes" if value is True else str(value)

"""`accountant costs`: show and check fixed costs, splits, reassignments and exchange rates."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.commands.file_checks import Answer, AnswerFormat, print_check
from accountant.commands.problems import ANSWER_IS_NO, say, told_problems
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.costs.cost_files import Costs

costs_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Show and check fixed costs, splits, reassignments, cost centres and exchange rates.",
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="TOML, CSV, directories.")]


class CostsLayout(StrEnum):
    """How costs are written."""

    TABLE = "table"
    JSON = "json"


@costs_app.command()
def check(files: Files, answer: AnswerFormat = Answer.TEXT) -> None:
    """Name every problem of files that are read together, with its line."""
    from accountant.costs.costs_table import rows_by_kind

    def counts() -> dict[str, object]:
        found = _read(files)
        rows = {kind: len(rows) for kind, rows in rows_by_kind(found).items()}
        return {"rows": rows, "version": found.version}

    with told_problems():
        if answer is Answer.JSON:
            print_check(counts)
            return
        found = _read(files)
        told = [f"{len(rows):,} {kind}" for kind, rows in rows_by_kind(found).items()]
        say(f"no problem: {', '.join(told) or 'no row'}; version {found.version}")


@costs_app.command()
def show(
    files: Files,
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only what holds on this UTC day.")
    ] = None,
    layout: Annotated[CostsLayout, typer.Option("--format", help="How.")] = CostsLayout.TABLE,
) -> None:
    """Show what files say, by kind."""
    from accountant.commands.delivery import delivered
    from accountant.costs.costs_table import costs_json, costs_table, rows_by_kind

    with told_problems():
        day, found = _day(at), _read(files)
        written = costs_json if layout is CostsLayout.JSON else costs_table
        if not rows_by_kind(found, day):
            say("the files have no such row")
            raise typer.Exit(ANSWER_IS_NO)
        with delivered(None) as write:
            write(written(found, day))


def _read(files: list[Path]) -> Costs:
    from accountant.costs.cost_files import load_costs

    return load_costs(*files)


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SettingsError([f"--at: {text!r} is not a day; write it as 2026-10-01"]) from None

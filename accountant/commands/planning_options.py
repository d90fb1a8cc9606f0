"""What is typed for the planning commands, and every mistake in it at once."""

# Only --help must be quick, so what reading needs is imported when something is read.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.commands.problems import read_month
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.planning.as_of import AsOf


class Layout(StrEnum):
    """How a planning document is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


Format = Annotated[Layout, typer.Option("--format", help="How to write it.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Write files there, not to stdout.")]
AsOfText = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="A UTC day, or a time with its zone; later usage is left out. Default: now.",
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD",
        help="Group by tenant, billing-code or model; repeat, or use commas, for more.",
    ),
]
History = Annotated[
    int, typer.Option(min=0, max=24, metavar="N", help="Learn from so many months before it.")
]
Level = Annotated[
    int, typer.Option(min=50, max=99, metavar="PERCENT", help="What the interval is to hold.")
]


class Typed:
    """Reads what was typed, and holds what is wrong with it, to be told at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def month(self, text: str) -> Month:
        """The month, or one that is never looked at if it is none."""
        try:
            return read_month(text)
        except SettingsError as error:
            self.problems += error.problems
            return Month(1, 1)

    def as_of(self, text: str | None) -> AsOf:
        """The time; without a text that of the clock."""
        from accountant.planning.as_of import AsOf

        try:
            return AsOf.parse(text) if text else AsOf(_now())
        except ValueError as error:
            self.problems.append(f"--as-of: {error}")
            return AsOf(_now())

    def by(self, typed: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
        """The fields, each once; all known ones if none was typed."""
        names = [
            name.strip().replace("-", "_") for text in typed or known for name in text.split(",")
        ]
        listed = ", ".join(name.replace("_", "-") for name in known)
        self.problems += [
            f"--by: {name.replace('_', '-')!r} is not one of {listed}"
            for name in dict.fromkeys(names)
            if name not in known
        ]
        return tuple(dict.fromkeys(names))

    def amount(self, option: str, text: str) -> Decimal:
        """An amount of money that is not negative."""
        from tollgate.settings_problems import exact_amount

        try:
            return Decimal(str(exact_amount(text)))
        except ValueError:
            self.problems.append(f"{option}: {text!r} is no amount; write digits, such as 12.50")
            return Decimal(0)

    def check(self) -> None:
        """Tell what is wrong.

        Raises:
            SettingsError: Anything is.
        """
        if self.problems:
            raise SettingsError(self.problems)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  a command is a composition root

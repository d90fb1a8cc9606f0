"""Every command of the accountant, found from the app itself, and how tests type it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.main import get_command

from accountant.cli import app

MONTH = "2026-10"
BUDGETS = "tenant,amount,currency,alert_at\ncontoso,25,USD,0.5 1\n"
METRICS = (
    "day,resource,deployment,metric,status,total\n"
    "2026-10-16,weu-1,gpt-4o-mini,AzureOpenAIRequests,200,1\n"
)


class Command(NamedTuple):
    """A command as it is typed, and its parameters."""

    name: str
    click: Any

    @property
    def words(self) -> list[str]:
        return self.name.split()

    def has(self, option: str) -> bool:
        """Whether it has an option, or an argument of this metavar."""
        return any(option in each.opts or each.metavar == option for each in self.click.params)

    def typed(self, folder: Path, month: str = MONTH) -> list[str]:
        """It, with the least that must be typed."""
        required = [each for each in self.click.params if each.required]
        values = [word for each in required for word in _value(each, folder, month)]
        return [*self.words, *values, *_beside(self.name, folder)]


def _beside(name: str, folder: Path) -> list[str]:
    """What a command asks for although its options do not say so."""
    if name == "close":
        return ["--books", str(folder / "books")]
    text = {"--budgets": BUDGETS, "--metrics": METRICS}
    option = {"budget": "--budgets", "reconcile": "--metrics"}.get(name)
    if option is None:
        return []
    path = folder / f"{name}.csv"
    path.write_text(text[option])
    return [option, str(path)]


def _value(parameter: Any, folder: Path, month: str) -> list[str]:
    metavar = (parameter.metavar or "").rstrip("…")
    kind = parameter.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        value = str(next(iter(kind)).value)
    elif metavar == "MONTH":
        value = month
    elif metavar == "BEFORE":
        value = "2026-08"
    elif metavar == "FILE":
        value = str(folder / "file")
        (folder / "file").touch()
    else:
        value = str(folder)
    is_option = parameter.param_type_name == "option"
    return [parameter.opts[0], value] if is_option else [value]


def _found(command: Any, above: str = "") -> Iterator[Command]:
    for name, each in command.commands.items():
        if hasattr(each, "commands"):
            yield from _found(each, f"{above}{name} ")
        else:
            yield Command(f"{above}{name}", each)


def all_commands(of: typer.Typer = app) -> list[Command]:
    """Those that do something, also those of groups."""
    return list(_found(get_command(of)))


COMMANDS = all_commands()
OF_LEDGER = [each for each in COMMANDS if each.has("--redis-url")]
OF_MONTH = [each for each in COMMANDS if each.has("MONTH")]
# What reads a month of the ledger and nothing beside it.
OF_LEDGERS_MONTH = [each for each in OF_LEDGER if each in OF_MONTH and not each.has("--archive")]

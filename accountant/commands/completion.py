"""What a shell completes: the months that a person may mean, fields, and the ledger's tenants."""

# A shell waits for it, so what asking Redis needs is imported when it is asked.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Final

import typer

from tollgate.errors import TollgateError
from tollgate.usage.periods import Month

_MONTHS: Final = 12
_WAIT_S: Final = 1  # for a ledger


def months(incomplete: str) -> list[str]:
    """This month and those before it, the latest first."""
    found: list[str] = []
    day = datetime.now(UTC)  # noqa: TID251  a command is a composition root
    for _ in range(_MONTHS):
        month = Month(day.year, day.month)
        found.append(str(month))
        day = month.start - timedelta(days=1)
    return _beginning_with(incomplete, found)


def fields(known: Iterable[str], incomplete: str) -> list[str]:
    """Names separated by commas: the last one is completed, to none that stands before it."""
    before, comma, last = incomplete.rpartition(",")
    rest = [name for name in known if name not in before.split(",")]
    return [f"{before}{comma}{name}" for name in _beginning_with(last, rest)]


def tenants(context: typer.Context, incomplete: str) -> list[str]:
    """Those of the ledger; none if it does not answer at once."""
    found: list[str] = []
    url: str | None = context.params.get("redis_url")
    asking = Thread(target=lambda: found.extend(_tenants(url)), daemon=True)
    asking.start()
    asking.join(_WAIT_S)
    return _beginning_with(incomplete, found)


def _tenants(url: str | None) -> list[str]:
    from accountant.commands.sources import open_ledger

    try:
        with open_ledger(url) as ledger:
            return ledger.tenants()
    except TollgateError:  # a shell has nowhere to show it; the command itself will say it
        return []


def _beginning_with(begin: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(begin)]

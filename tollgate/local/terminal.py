"""How the `tollgate` command says what became of events, and shows texts from outside."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import typer

_OUTCOMES: Final = {
    "applied": "counted",
    "completed": "completed",
    "duplicate": "known already",
    "conflict": "in conflict with a known one, kept aside",
    "late": "too late, kept aside",
    "dead_letter": "refused, see: tollgate dead-letters list",
}
_KEPT_ASIDE: Final = ("conflict", "late", "dead_letter")


def conclude(counts: Mapping[str, int]) -> None:
    """Say what became of the events; the answer is no when some are not in the ledger."""
    said = [f"{counts[outcome]} {words}" for outcome, words in _OUTCOMES.items() if counts[outcome]]
    typer.echo("; ".join(said) or "no events")
    if any(counts[outcome] for outcome in _KEPT_ASIDE):
        sys.exit(1)


def shown_time(time: datetime) -> str:
    """A time to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def printable(text: str) -> str:
    """Text from outside, with nothing in it that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)

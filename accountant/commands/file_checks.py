"""Whether files are sound, in words or as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated

import typer

from accountant.commands.delivery import delivered
from accountant.commands.problems import BAD_INPUT
from accountant.errors import CostsError, RateCardError


class Answer(StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"


AnswerFormat = Annotated[Answer, typer.Option("--format", help="How to write it.")]


def print_check(counts: Callable[[], Mapping[str, object]]) -> None:
    """Print one object: whether the files are sound, every problem, and what sound files hold.

    Args:
        counts: Reads the files, and counts what is in them.

    Raises:
        typer.Exit: They are not sound.
    """
    problems: list[str] = []
    found: Mapping[str, object] = {}
    try:
        found = counts()
    except (CostsError, RateCardError) as error:
        problems = error.problems
    print_object({"sound": not problems, "problems": problems, **found})
    if problems:
        raise typer.Exit(BAD_INPUT)


def print_object(members: Mapping[str, object]) -> None:
    """Print one object, indented."""
    with delivered(None) as write:
        write(json.dumps(members, ensure_ascii=False, indent=2) + "\n")

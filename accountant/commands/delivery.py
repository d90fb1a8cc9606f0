"""Where a document goes: to stdout, or to a file that appears when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Annotated, Final

import typer

from accountant.asides import written_aside
from accountant.commands.problems import say
from accountant.reports.report_file import print_report
from tollgate.errors import SettingsError

READER_LEFT: Final = 141  # what a shell says of a program that a broken pipe ended


@contextmanager
def told_write_problems(path: Path | None) -> Generator[None]:
    """Say where something could not be written.

    Args:
        path: The file; None is stdout.

    Raises:
        SettingsError: It cannot be written.
        typer.Exit: Whoever read it has left.
    """
    try:
        yield
    except BrokenPipeError:
        raise typer.Exit(READER_LEFT) from None
    except OSError as error:
        raise SettingsError([f"cannot write {path or 'to stdout'}: {error.strerror}"]) from None


class AnswerLayout(StrEnum):
    """How an answer that is no table is written."""

    TEXT = "text"
    JSON = "json"


Answer = Annotated[AnswerLayout, typer.Option("--format", help="How to write it.")]


def answer(text: str) -> None:
    """Write text that is the answer to stdout.

    Raises:
        SettingsError: It cannot be written.
        typer.Exit: Whoever read it has left.
    """
    with told_write_problems(None):
        print_report(text.encode())


@contextmanager
def delivered(path: Path | None) -> Generator[Callable[[str], object]]:
    """What to write a document's text with; it is delivered at the end, and only as a whole.

    Args:
        path: The file; None is stdout.
    """
    if path is None:
        text = StringIO(newline="")
        yield text.write
        answer(text.getvalue())
    else:
        with (
            told_write_problems(path),
            written_aside(path) as aside,
            aside.open("w", encoding="utf-8", newline="") as file,
        ):
            yield file.write
        say(f"wrote {path}")

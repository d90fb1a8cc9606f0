"""Where a document goes: to stdout, or to a file that appears when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Final

import typer

from accountant.asides import written_together
from accountant.commands.problems import say
from accountant.reports.report_file import print_report
from tollgate.errors import SettingsError

Write = Callable[[str], object]
READER_LEFT: Final = 141  # what a shell says of a program that a broken pipe ended
_PART: Final = 1 << 20


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
def delivered(path: Path | None) -> Generator[Write]:
    """What to write a document's text with; it is delivered at the end, and only as a whole.

    Args:
        path: The file; None is stdout, for which it waits in a file that has no name.
    """
    if path is None:
        with told_write_problems(None), TemporaryFile() as waiting:
            text = TextIOWrapper(waiting, encoding="utf-8", newline="")
            yield text.write
            text.flush()
            waiting.seek(0)
            for part in iter(lambda: waiting.read(_PART), b""):
                print_report(part)
            text.detach()
    else:
        with delivered_together(path) as (write,):
            yield write


@contextmanager
def delivered_together(*paths: Path) -> Generator[list[Write]]:
    """What to write the text of files with, which are delivered as `written_together` says.

    Args:
        paths: The document first.
    """
    with (
        told_write_problems(paths[0]),
        written_together(*paths) as asides,
        ExitStack() as stack,
    ):
        files = [
            stack.enter_context(aside.open("w", encoding="utf-8", newline="")) for aside in asides
        ]
        yield [file.write for file in files]
    for path in paths:
        say(f"wrote {path}")

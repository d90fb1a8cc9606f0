"""How far long work is, on a terminal."""

# Only --help must be quick, so what draws is imported when there is something to draw.
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

Show = Callable[[str, int, int | None], None]


@contextmanager
def bar() -> Generator[Show]:
    """A progress bar on a terminal, nothing elsewhere.

    Yields:
        What to say how far it is with: what is done, how much of it, of how much (None: who knows).
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield _show_nothing
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("")

        def show(doing: str, done: int, total: int | None) -> None:
            progress.update(task, description=f"{done:,} {doing}", completed=done, total=total)

        yield show


def _show_nothing(doing: str, done: int, total: int | None) -> None:
    del doing, done, total

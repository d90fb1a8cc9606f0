"""How far long work is, on a terminal."""

# Only --help must be quick, so what draws is imported when there is something to draw.
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress

Show = Callable[[str, int, int | None], None]

_LONG_S: Final = 1  # what is over sooner is shown no bar


@contextmanager
def bar() -> Generator[Show]:
    """A progress bar on a terminal once work has taken a while, nothing elsewhere.

    Yields:
        What to say how far it is with: what is done, how much of it, of how much (None: who knows).
        Once all is done, the bar is gone.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield show_nothing
        return
    shown = _Bar(time.monotonic() + _LONG_S)
    try:
        yield shown.show
    finally:
        shown.close()


def show_nothing(doing: str, done: int, total: int | None) -> None:
    """Where nobody looks."""
    del doing, done, total


class _Bar:
    """A bar that is there from a time on, until all is done."""

    def __init__(self, begin_s: float) -> None:
        self._begin_s = begin_s
        self._bar: Progress | None = None

    def show(self, doing: str, done: int, total: int | None) -> None:
        if total is not None and done >= total:
            self.close()
        elif time.monotonic() >= self._begin_s:
            told = f"{done:,} {doing}"
            self._bar = self._bar or _opened(told)
            task = self._bar.task_ids[0]
            self._bar.update(task, description=told, completed=done, total=total)

    def close(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None


def _opened(told: str) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True), transient=True)
    progress.add_task(told)
    progress.start()
    return progress

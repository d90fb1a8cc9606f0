"""How far long work is, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress

Show = Callable[[str, int, int], None]  # what is done, how many of them, of how many

_LONG_S: Final = 1  # what is over sooner is shown no bar


@contextmanager
def progress_bar() -> Generator[Show]:
    """Shows a bar on stderr once the work has taken a while; nothing where that is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield show_nothing
        return
    bar = _Bar(time.monotonic() + _LONG_S)
    try:
        yield bar.show
    finally:
        bar.close()


def show_nothing(doing: str, done: int, total: int) -> None:
    """Where nobody looks."""
    del doing, done, total


class _Bar:
    """A bar that is there from a time on, until all is done."""

    def __init__(self, begin_s: float) -> None:
        self._begin_s = begin_s
        self._bar: Progress | None = None

    def show(self, doing: str, done: int, total: int) -> None:
        if done >= total:
            self.close()
        elif time.monotonic() >= self._begin_s:
            self._bar = self._bar or _opened(doing)
            self._bar.update(self._bar.task_ids[0], description=doing, completed=done, total=total)

    def close(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None


def _opened(doing: str) -> Progress:
    from rich.console import Console  # noqa: PLC0415  most work is over before
    from rich.progress import Progress  # noqa: PLC0415  same

    bar = Progress(console=Console(stderr=True), transient=True)
    bar.add_task(doing)
    bar.start()
    return bar

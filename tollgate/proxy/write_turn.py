"""What is written within one turn of the event loop goes out together, at its end.

The first write wakes a peer that is asleep, and the others find it awake. One by one, each would
wake it anew, which costs more than the writing; and what one connection writes in several pieces
goes out with one system call.
"""

from __future__ import annotations

import asyncio
from typing import Protocol


class Writer(Protocol):
    """Has something to write."""

    def flush(self) -> None:
        """Write it; does not raise."""
        ...


class WriteTurn:
    """The end of the present turn of a loop.

    Args:
        loop: The event loop.
    """

    __slots__ = ("_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Writer] = []

    def add(self, writer: Writer) -> None:
        """Let `writer` write before the loop waits for anything again."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(writer)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for writer in waiting:
            writer.flush()

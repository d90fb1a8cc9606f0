"""The one task of a client's connection: it does one piece of work after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

Work = Coroutine[Any, Any, None]


class ClientTask:
    """Lives as long as the connection, for a task costs as much as a system call.

    Args:
        loop: The event loop.

    Attributes:
        task: None before the first work.
    """

    __slots__ = ("_has_work", "_is_last", "_loop", "_work", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._work: Work | None = None  # that has not begun
        self._has_work: asyncio.Future[None] | None = None
        self._is_last = False
        self.task: asyncio.Task[None] | None = None

    def run(self, work: Work) -> None:
        """Begin `work` soon; the one before it is done, or just returns."""
        self._work = work
        if self.task is None:
            self.task = self._loop.create_task(self._run_all())
        elif self._has_work is not None:
            self._has_work.set_result(None)

    def end(self) -> None:
        """Let what is under way, or due, be the last."""
        self._is_last = True
        if self.task is not None and self._has_work is not None and not self._has_work.done():
            self.task.cancel()

    def cut_short(self) -> bool:
        """Cancel what is under way; True if there was work that had not begun, and now never will.

        A task that is cancelled before its first step does not see its work.
        """
        work, self._work = self._work, None
        if work is not None:
            work.close()
        if self.task is not None:
            self.task.cancel()
        return work is not None

    async def _run_all(self) -> None:
        while self._work is not None:
            work, self._work = self._work, None
            await work
            if self._work is None and not self._is_last:
                self._has_work = self._loop.create_future()
                await self._has_work
                self._has_work = None

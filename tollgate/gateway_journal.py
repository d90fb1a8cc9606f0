"""Opens a gateway's journal, takes over what dead processes left, and keeps an eye on it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from tollgate.errors import SettingsError
from tollgate.events.journal import Journal
from tollgate.events.journal_watch import JournalWatch
from tollgate.events.recovery import recover

_TAKE_OVER_EVERY_S: Final = 60.0
_log: Final = logging.getLogger(__name__)


class GatewayJournal:
    """The journal of one process and what watches it.

    Args:
        folder: Where it lies.
        max_bytes: How much the folder may take.
        now: The time of day, UTC.
        on_append: Called after each event.

    Attributes:
        journal: To publish from.
        watch: To write to.

    Raises:
        SettingsError: The folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        now: Callable[[], datetime],
        on_append: Callable[[], None],
    ) -> None:
        try:
            self.journal = Journal(folder, on_append=on_append)
        except OSError as error:
            raise _unusable(folder, error) from None
        self.watch = JournalWatch(self.journal, max_bytes, now)
        try:
            recover(folder, self.journal)
        except OSError as error:
            self.journal.close()
            raise _unusable(folder, error) from None

    def take_over(self) -> int:
        """Take over what other processes left that died meanwhile.

        Returns:
            How many events; they are published from here.
        """
        try:
            count = recover(self.journal.folder, self.journal)
        except OSError as error:
            _log.error("what dead processes left in the journal's folder stays there: %s", error)
            return 0
        if count:
            _log.warning("%d events of processes that died are published from here", count)
        return count

    async def run(self) -> None:
        """Watch, and take over now and then, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.watch.run())
            while True:
                await asyncio.sleep(_TAKE_OVER_EVERY_S)
                self.take_over()


def _unusable(folder: Path, error: OSError) -> SettingsError:
    problem = f"the journal's folder {folder} cannot be used: {error.strerror or error}"
    return SettingsError([f"environment: TOLLGATE_JOURNAL: {problem}"])

"""Publishes from the journal, in batches, for as long as the process lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from tollgate.errors import PublishFailed
from tollgate.events.journal import Journal
from tollgate.events.refused import REFUSED_FILE

MAX_EVENTS: Final = 2000
MAX_BYTES: Final = 900_000  # Event Grid takes requests up to 1 MB

_REFUSES: Final = "the broker refuses an event; it is in %s, see: tollgate dead-letters list"
_LONGEST_WAIT_S: Final = 60.0
# Where so many come while the first one waits, a few more turns make the batches larger.
_MANY: Final = 50
_MOST_TURNS: Final = 5
_log: Final = logging.getLogger(__name__)


class Publisher(Protocol):
    """A broker."""

    async def publish(self, events: Sequence[bytes]) -> list[bytes]:
        """Send encoded CloudEvents; returns when the broker has taken them.

        Returns:
            Those that it refuses for what they are, and would refuse again.

        Raises:
            PublishFailed: It has not taken them; some may have gone through.
        """
        ...


class Drain:
    """Moves events from the journal to the broker, and never gives one up.

    Args:
        journal: Where they wait.
        publisher: Where they go.
        gather_s: How long to wait after an event for more of them.
        first_wait_s: How long to wait after a failure; doubles with each further one, to a minute.
    """

    def __init__(
        self,
        journal: Journal,
        publisher: Publisher,
        gather_s: float = 0.05,
        first_wait_s: float = 0.5,
    ) -> None:
        self._journal = journal
        self._publisher = publisher
        self._gather_s = gather_s
        self._first_wait_s = first_wait_s
        self._more = asyncio.Event()
        self._more.set()  # what an earlier process left is due at once

    def wake(self) -> None:
        """There is an event."""
        self._more.set()

    async def run(self) -> None:
        """Publish until cancelled; back off while the broker does not take anything."""
        wait_s = self._first_wait_s
        while True:
            await self._more.wait()
            await self._gather()
            self._more.clear()
            try:
                await self.drain_once()
            except PublishFailed as error:
                _log.warning("%d events wait in the journal: %s", self._journal.depth, error)
            except Exception:  # noqa: BLE001  a bug in one round must not end the publishing
                _log.exception("%d events wait in the journal after a bug", self._journal.depth)
            else:
                wait_s = self._first_wait_s
                continue
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            self._more.set()

    async def _gather(self) -> None:
        for _ in range(_MOST_TURNS):
            before = self._journal.depth
            await asyncio.sleep(self._gather_s)
            if self._journal.depth - before < _MANY or self._journal.depth >= MAX_EVENTS:
                return

    async def drain_once(self) -> None:
        """Publish all that waits.

        Raises:
            PublishFailed: The broker did not take it; it still waits.
        """
        while (batch := self._journal.next_batch(MAX_EVENTS, MAX_BYTES)).events:
            for refused in await self._publisher.publish(batch.events):
                _log.error(_REFUSES, self._journal.folder / REFUSED_FILE)
                self._journal.set_aside(refused)
            self._journal.commit(batch)

"""Watches the journal: how much waits, since when, and how much of the disk it takes.

The journal may not take more than its bound. What is beyond is not thrown away: a call that would
make a new event is refused (503), as it is when the disk is full; events of calls under way are
still written. The folder is looked at every few seconds, so the bound is passed by what comes
meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from errno import EDQUOT
from pathlib import Path
from typing import Annotated, Final

import msgspec

from tollgate.events.journal import Journal
from tollgate.health import Finding
from tollgate.metrics import Gauge, Metrics
from tollgate.usage.event import UsageEvent

_LOOK_EVERY_S: Final = 5.0
_OLDEST: Final = 100  # events of which the age is asked
_OLDEST_BYTES: Final = 200_000
_LATE_S: Final = 300.0  # longer than a broker's usual trouble
_NEARLY: Final = 0.8
_MIB: Final = 1024 * 1024
_log: Final = logging.getLogger(__name__)


class JournalState(msgspec.Struct, frozen=True, kw_only=True):
    """How the journal is.

    Args:
        depth: Events of this process that wait to be published.
        age_s: How long ago the oldest one's request ended; None if none waits, or only completions
            do, which are as old as what they complete.
        bytes: What the folder's files take, those of other processes and the refused ones included.
        max_bytes: The bound.
        in_memory: Whether events wait that the disk did not take.
    """

    depth: int
    age_s: float | None
    bytes: int
    max_bytes: int
    in_memory: bool

    @property
    def full(self) -> bool:
        """Whether the bound is reached."""
        return self.bytes >= self.max_bytes

    def findings(self) -> list[Finding]:
        """What is not as it should be."""
        found: list[Finding] = []
        if self.in_memory:
            found.append(
                Finding("failing", "the journal cannot be written: events are only in memory")
            )
        used = f"{self.bytes // _MIB:,} of {self.max_bytes // _MIB:,} MiB"
        if self.full:
            reason = f"the journal is full ({used}): new calls are refused until it is published"
            found.append(Finding("failing", reason))
        elif self.bytes >= _NEARLY * self.max_bytes:
            found.append(Finding("degraded", f"the journal is nearly full ({used})"))
        if self.age_s is not None and self.age_s > _LATE_S:
            waited = f"{self.age_s / 60:,.0f} minutes"
            found.append(Finding("degraded", f"events have waited {waited} to be published"))
        return found


class JournalWatch:
    """The journal as the gateway's sink, with a bound.

    Args:
        journal: What is watched.
        max_bytes: How much its folder may take; may be changed.
        now: The time of day, UTC.
    """

    def __init__(self, journal: Journal, max_bytes: int, now: Callable[[], datetime]) -> None:
        self.max_bytes = max_bytes
        self._journal = journal
        self._now = now
        self._full = False

    def begin(self, request_id: str, event: bytes) -> None:
        """Note that a request goes upstream; see `Journal.begin`.

        Raises:
            OSError: The bound is reached, or the disk does not take it.
        """
        if self._full:
            raise OSError(
                EDQUOT, "it has reached its bound; publish it, or raise journal.max_bytes"
            )
        self._journal.begin(request_id, event)

    def record(self, event: UsageEvent) -> None:
        """Keep an event until it is published, whatever the bound."""
        self._journal.record(event)

    def look(self) -> JournalState:
        """How the journal is now; from here on the bound is kept by it."""
        state = JournalState(
            depth=self._journal.depth,
            age_s=self._age_s(),
            bytes=_bytes_in(self._journal.folder),
            max_bytes=self.max_bytes,
            in_memory=self._journal.holds_in_memory,
        )
        if state.full and not self._full:
            _log.critical(
                "the journal takes %d bytes, its bound is %d: new calls are refused until it is"
                " published",
                state.bytes,
                state.max_bytes,
            )
        self._full = state.full
        return state

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            try:
                self.look()
            except OSError as error:
                _log.error("the journal's folder cannot be read: %s", error)
            await asyncio.sleep(_LOOK_EVERY_S)

    def show_in(self, metrics: Metrics) -> None:
        """Have the journal's numbers among these."""
        metrics.add(
            Gauge(
                "tollgate_journal_events",
                "Events that wait to be published.",
                lambda: self._journal.depth,
            ),
            Gauge("tollgate_journal_age_seconds", "The age of the oldest one.", self._age_s),
            Gauge(
                "tollgate_journal_bytes",
                "What the journal's folder takes.",
                lambda: _bytes_in(self._journal.folder),
            ),
            Gauge("tollgate_journal_max_bytes", "Its bound.", lambda: self.max_bytes),
        )

    def _age_s(self) -> float | None:
        if not self._journal.depth:
            return None
        waiting = self._journal.next_batch(_OLDEST, _OLDEST_BYTES).events
        times = (_ended(event) for event in waiting)
        oldest = next((time for time in times if time is not None), None)
        return None if oldest is None else max(0.0, (self._now() - oldest).total_seconds())


class _Completes(msgspec.Struct):
    completes: bool = False


class _Ended(msgspec.Struct):
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    data: _Completes


def _ended(event: bytes) -> datetime | None:
    """When the request of a waiting event ended; None if it says nothing of how long it waits."""
    try:
        ended = msgspec.json.decode(event, type=_Ended)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return None if ended.data.completes else ended.time


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.glob("*.jsonl"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # published meanwhile
            continue
    return total

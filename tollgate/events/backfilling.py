"""Completes pending events from the gateway's log, and gives an event to calls that have none.

It may be ended at any point, and run again: what it makes is the same each time, and the ledger
takes the second for the duplicate that it is. Its events go the way of all others, by the journal,
the broker and the archive to the ledger.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from tollgate.events.awaited import AwaitedEvents, Waiting
from tollgate.events.backfill import Direct, completion_of, missing_event
from tollgate.events.gateway_log import (
    NAME_IN_QUERY,
    LoggedCall,
    calls_by_api,
    calls_by_id,
    logged_calls,
)
from tollgate.metrics import Counter as Metric
from tollgate.metrics import Gauge, Metrics
from tollgate.usage.event import UsageEvent

GIVE_UP: Final = timedelta(days=1)  # how long an event is looked up
# An event may be on its way for a day (Event Grid's longest); then the call has none.
MISSING_AFTER: Final = timedelta(hours=25)
AT_ONCE: Final = 500
MOST_LOOKS: Final = 20  # of so many events each, in one run
MOST_HOURS: Final = 24

_AROUND: Final = timedelta(hours=1)  # the log's times are not the event's
_SOONEST: Final = timedelta(minutes=5)
_HOUR: Final = timedelta(hours=1)
_SHORTEST: Final = timedelta(minutes=1)
_INCOMPLETE: Final = (
    "the gateway's log gives only a part of the calls from %s to %s: some that have no event may"
    " stay without one"
)
_UNMETERED: Final = "%s: %d requests stay unmetered, the gateway's log has no tokens for them"
_log: Final = logging.getLogger(__name__)


class Rows(msgspec.Struct, frozen=True):
    """What a query gave.

    Args:
        rows: By column.
        partial: Whether there are more that it did not give.
    """

    rows: Sequence[Mapping[str, Any]]
    partial: bool = False


class Logs(Protocol):
    """A workspace of logs."""

    async def query(self, kql: str, since: datetime, until: datetime) -> Rows:
        """The rows of a query over a span of time.

        Raises:
            LogsUnavailable: It does not answer, or takes no more queries for now.
        """
        ...


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did.

    Args:
        completed: Completions that were made.
        missing: Events that were made for calls without one.
        unmetered: Requests that were given up, by tenant.
    """

    completed: int
    missing: int
    unmetered: Mapping[str, int]


class Backfill:
    """Looks events up in the gateway's log.

    Args:
        logs: The log.
        awaited: What waits, and what there is.
        record: Sends an event on its way; may raise OSError.
        direct: The calls that are to have an event each; None for none. May be changed.
        metrics: Where its numbers are shown.
    """

    def __init__(
        self,
        logs: Logs,
        awaited: AwaitedEvents,
        record: Callable[[UsageEvent], None],
        direct: Direct | None,
        metrics: Metrics,
    ) -> None:
        self._logs = logs
        self._awaited = awaited
        self._record = record
        self.direct = direct
        self._completed = Metric("tollgate_backfill_completed_total", "Completions made.")
        self._missing = Metric("tollgate_backfill_missing_total", "Events made for calls without.")
        self._unmetered = Metric("tollgate_unmetered_total", "Requests that stay unmetered.")
        self._waiting: int | None = None
        waiting = Gauge("tollgate_backfill_waiting", "Events that wait.", lambda: self._waiting)
        metrics.add(self._completed, self._missing, self._unmetered, waiting)

    async def run(self, now: datetime) -> Done:
        """Look up what is due.

        Raises:
            LogsUnavailable: The rest is due at the next run.
            StoreUnavailable: The same.
            OSError: The journal cannot be written; the same.
        """
        completed, unmetered = 0, Counter[str]()
        for _ in range(MOST_LOOKS):
            due = await self._awaited.due(now, AT_ONCE)
            if not due:
                break
            made, given_up = await self._complete(due, now)
            completed += made
            unmetered += given_up
        for tenant, count in sorted(unmetered.items()):
            _log.warning(_UNMETERED, ascii(tenant), count)
        self._waiting = await self._awaited.count()
        missing = await self._give_events(self.direct, now) if self.direct else 0
        return Done(completed=completed, missing=missing, unmetered=unmetered)

    async def _complete(self, due: Sequence[Waiting], now: datetime) -> tuple[int, Counter[str]]:
        ids = sorted({each.event.id for each in due if NAME_IN_QUERY.fullmatch(each.event.id)})
        since = min(each.event.time for each in due) - _AROUND
        calls = await self._calls_of(ids, since, now) if ids else {}
        made: list[bytes] = []
        given_up: list[Waiting] = []
        for each in due:
            call = calls.get(each.event.id)
            event = completion_of(each.event, call) if call else None
            if event is not None:
                self._record(event)
                made.append(each.key)
            elif now - each.noted >= GIVE_UP:
                given_up.append(each)
            else:
                pause = max(_SOONEST, (now - each.noted) / 4)
                await self._awaited.look_again([each.key], now + pause)
        await self._awaited.look_again(made, now + _HOUR)  # should they be lost on their way
        await self._awaited.settle([each.key for each in given_up], now)
        self._completed.add(len(made))
        self._unmetered.add(len(given_up))
        return len(made), Counter(each.event.data.tenant for each in given_up)

    async def _calls_of(
        self, ids: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, LoggedCall]:
        found = await self._logs.query(calls_by_id(ids), since, until)
        if not found.partial or len(ids) == 1:
            return logged_calls(found.rows)
        half = len(ids) // 2
        return await self._calls_of(ids[:half], since, until) | await self._calls_of(
            ids[half:], since, until
        )

    async def _give_events(self, direct: Direct, now: datetime) -> int:
        """Hour by hour, from where the last run ended; the first run begins with its own time."""
        since = await self._awaited.since()
        if since is None:
            await self._awaited.set_since(now)
            return 0
        made = 0
        for _ in range(MOST_HOURS):
            until = since + _HOUR
            if until > now - MISSING_AFTER:
                break
            made += await self._give_events_between(direct, since, until)
            await self._awaited.set_since(until)
            since = until
        return made

    async def _give_events_between(self, direct: Direct, since: datetime, until: datetime) -> int:
        calls = await self._calls_between(direct, since, until)
        unseen = await self._awaited.unseen({each.id: each.time for each in calls.values()})
        made = 0
        for call_id in sorted(unseen):
            event = missing_event(calls[call_id], direct)
            if event is not None:
                self._record(event)
                made += 1
        self._missing.add(made)
        return made

    async def _calls_between(
        self, direct: Direct, since: datetime, until: datetime
    ) -> dict[str, LoggedCall]:
        query = calls_by_api(direct.apis, since, until)
        found = await self._logs.query(query, since - _AROUND, until + _AROUND)
        if not found.partial:
            return logged_calls(found.rows)
        if until - since <= _SHORTEST:
            _log.error(_INCOMPLETE, since.isoformat(), until.isoformat())
            return logged_calls(found.rows)
        middle = since + (until - since) / 2
        return await self._calls_between(direct, since, middle) | await self._calls_between(
            direct, middle, until
        )

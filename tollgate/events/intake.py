"""Takes events in: archive first, then the cells; what cannot be read is kept aside."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from tollgate.errors import InvalidEvent, Retryable, StoreUnavailable
from tollgate.events.dead_letters import DeadLetter, DeadLetters
from tollgate.events.intake_metrics import IntakeMetrics
from tollgate.metrics import Metrics
from tollgate.usage.event import ReceivedEvent, decode_event

MAX_AHEAD: Final = timedelta(minutes=10)
_log: Final = logging.getLogger(__name__)


class Ledger(Protocol):
    """Where events are counted, once each."""

    async def apply(self, events: Sequence[ReceivedEvent], *, now: datetime) -> Sequence[str]:
        """Book the events and say what became of each.

        Raises:
            StoreUnavailable: Some may not be booked; send all of them again.
        """
        ...


class Archive(Protocol):
    """Where every valid event received is kept, duplicates included."""

    def append(self, events: Sequence[ReceivedEvent], now: datetime) -> None:
        """Keep the events, which came now; returns when they are safe.

        Raises:
            OSError: Some may not be kept; send all of them again.
        """
        ...


class Awaited(Protocol):
    """Remembers the events whose tokens are still to be found."""

    async def before(self, events: Sequence[ReceivedEvent], now: datetime) -> None:
        """These are about to be counted.

        Raises:
            StoreUnavailable: Send all of them again.
        """
        ...

    async def after(self, events: Sequence[ReceivedEvent], now: datetime) -> None:
        """They are counted.

        Raises:
            StoreUnavailable: Send all of them again.
        """
        ...


class Intake:
    """The one way into the ledger, whatever delivers.

    Args:
        ledger: Counts.
        dead_letters: Keeps what is refused.
        archive: Keeps what is valid; None where the broker does it (Event Hubs Capture).
        awaited: Is told of every event; None where nothing is backfilled.
        metrics: What is counted of it; None where nobody asks.
    """

    def __init__(
        self,
        ledger: Ledger,
        dead_letters: DeadLetters,
        archive: Archive | None = None,
        *,
        awaited: Awaited | None = None,
        metrics: IntakeMetrics | None = None,
    ) -> None:
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._archive = archive
        self._awaited = awaited
        self._metrics = metrics or IntakeMetrics(Metrics())

    async def take(self, raws: Sequence[bytes], *, source: str, now: datetime) -> Counter[str]:
        """Take a batch in. A bad event, or one that meets a bug, does not hold its neighbours up.

        Args:
            raws: CloudEvents in JSON, one each.
            source: Who delivers, for the dead letters.
            now: The time of day.

        Returns:
            How many became what: `dead_letter`, and what the ledger says.

        Raises:
            StoreUnavailable: Nothing is lost if the whole batch is sent again.
        """
        self._metrics.received(len(raws))
        try:
            counts = await self._take_around_bugs(raws, source, now)
        except StoreUnavailable:
            self._metrics.failed()
            raise
        self._metrics.ended(counts)
        return counts

    async def _take_around_bugs(
        self, raws: Sequence[bytes], source: str, now: datetime
    ) -> Counter[str]:
        """Take a batch in; where it meets a bug, each event alone."""
        try:
            return await self._take(raws, source, now)
        except Retryable:
            raise
        except Exception:  # noqa: BLE001  a broker would send the same batch for ever, or never again
            _log.exception("a bug in a batch of %d events from %s", len(raws), source)
        counts: Counter[str] = Counter()
        for raw in raws:
            counts += await self._take_alone(raw, source, now)
        return counts

    async def _take_alone(self, raw: bytes, source: str, now: datetime) -> Counter[str]:
        """Take one in; one that meets a bug is kept until the bug is mended."""
        try:
            return await self._take([raw], source, now)
        except Retryable:
            raise
        except Exception as error:  # noqa: BLE001  its neighbours, and those behind it, go on
            reason = f"bug: {type(error).__name__}; the log says more"
            letter = DeadLetter(reason=reason, source=source, received=now, body=raw)
        await self._dead_letters.keep([letter])
        return Counter({"dead_letter": 1})

    async def _take(self, raws: Sequence[bytes], source: str, now: datetime) -> Counter[str]:
        events: list[ReceivedEvent] = []
        letters: list[DeadLetter] = []
        for raw in raws:
            try:
                events.append(_checked(decode_event(raw), now))
            except InvalidEvent as error:
                letters.append(DeadLetter(reason=str(error), source=source, received=now, body=raw))
        if letters:
            await self._dead_letters.keep(letters)
        counts = Counter({"dead_letter": len(letters)} if letters else {})
        if events:
            counts.update(await self._count(events, now))
        return counts

    async def _count(self, events: Sequence[ReceivedEvent], now: datetime) -> Sequence[str]:
        self._keep(events, now)
        if self._awaited:
            await self._awaited.before(events, now)
        started_s = self._metrics.steady_s()
        outcomes = await self._ledger.apply(events, now=now)
        self._metrics.applied(events, now, self._metrics.steady_s() - started_s)
        if self._awaited:
            await self._awaited.after(events, now)
        return outcomes

    def _keep(self, events: Sequence[ReceivedEvent], now: datetime) -> None:
        if self._archive is None:
            return
        try:
            self._archive.append(events, now)
        except OSError as error:
            raise StoreUnavailable(f"the archive did not take the events: {error}") from error


def _checked(received: ReceivedEvent, now: datetime) -> ReceivedEvent:
    ahead = received.event.time - now
    if ahead > MAX_AHEAD:
        raise InvalidEvent(f"its time lies {ahead.total_seconds():.0f} s in the future")
    return received

"""Finds events that were refused or kept aside, so that they are in no cell. It only looks."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from accountant.closing.blockers import NO_MONTH, Blocker, Kind
from tollgate.connections.blobs import read_json_blobs
from tollgate.events.dead_letters import RedisDeadLetters
from tollgate.events.event_grid_letters import letters_of
from tollgate.events.refused import REFUSED_FILE, read_refused
from tollgate.ledger.kept_aside import KeptAsideEvents, Reason
from tollgate.usage.periods import Month


class _Told(msgspec.Struct):
    """When an event says that it was."""

    time: datetime


async def kept_aside(redis: Redis, month: Month) -> list[Blocker]:
    """Late and conflicting events of a month and those before, by tenant.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    found: dict[tuple[Kind, str], Counter[str]] = {}
    kinds: tuple[tuple[Kind, Reason], ...] = (("late", "late"), ("conflict", "conflict"))
    for kind, reason in kinds:
        async for event in KeptAsideEvents(redis).scan(reason):
            _count(found.setdefault((kind, event.tenant), Counter()), event.raw, None, month)
    return [
        Blocker(what=kind, tenant=tenant, months=_sorted(months))
        for (kind, tenant), months in sorted(found.items())
        if months
    ]


async def dead_letters(
    redis: Redis, month: Month, journal: Path | None, blobs: str | None
) -> list[Blocker]:
    """Refused events of a month and those before, wherever they are kept.

    Args:
        redis: The intake's, a client that returns bytes.
        month: The one that is closed.
        journal: The folder beside which the topic's refusals lie; None is not looked at.
        blobs: Event Grid's dead-letter blobs, a folder or a container's URL; None as above.

    Raises:
        SettingsError: The blobs are neither.
        StoreUnavailable: Redis or the storage did not answer.
    """
    months = Counter[str]()
    store = RedisDeadLetters(redis)
    async for letter in store.scan():
        _count(months, letter.body, letter.received, month)
    for event, received in _by_topic(journal) if journal else ():
        _count(months, event, received, month)
    for blob in read_json_blobs(blobs) if blobs else ():
        for letter in letters_of(blob):
            _count(months, letter.body, letter.received, month)
    beyond = (await store.held()).beyond
    found = [Blocker(what="dead-letter", months=_sorted(months))] if months else []
    lost = [Blocker(what="dead-letter-not-kept", months={NO_MONTH: beyond})] if beyond else []
    return [*found, *lost]


def _by_topic(journal: Path) -> list[tuple[bytes, datetime]]:
    """What the topic refused, with the time of the last one."""
    if not (events := read_refused(journal)):
        return []
    last = datetime.fromtimestamp((journal / REFUSED_FILE).stat().st_mtime, UTC)
    return [(event, last) for event in events]


def _count(months: Counter[str], raw: bytes, received: datetime | None, month: Month) -> None:
    """Count an event by its month, unless it is of a later one; what has no time has no month.

    It is of no month after it was received: an event is refused for a time that is to come.
    """
    times = [each for each in (_time_of(raw), received) if each]
    if not times:
        months[NO_MONTH] += 1
    elif min(times) < month.end:
        months[f"{min(times):%Y-%m}"] += 1


def _time_of(raw: bytes) -> datetime | None:
    """When an event says that it was, in UTC; None: it does not say."""
    try:
        return msgspec.json.decode(raw, type=_Told).time.astimezone(UTC)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
        return None


def _sorted(months: Counter[str]) -> dict[str, int]:
    return dict(sorted(months.items()))

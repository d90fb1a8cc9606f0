"""Finds what was refused, wherever it is kept, and sends it again.

The intake's refusals are in Redis; what the Event Grid topic refused lies beside the journal; what
it could not deliver is in blobs. Beside these, the ledger keeps conflicts and late events: they can
be looked at, and are never sent again, for no repetition makes them count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from heapq import nsmallest
from pathlib import Path
from typing import Final, Literal

import msgspec

from tollgate.composition import utc_now
from tollgate.connections.blobs import read_json_blobs
from tollgate.errors import InvalidEvent, SettingsError
from tollgate.events.dead_letters import DeadLetter, Held
from tollgate.events.event_grid_letters import letters_of
from tollgate.events.refused import REFUSED_FILE, forget_refused, read_refused
from tollgate.intake_runtime import IntakeRuntime
from tollgate.ledger.outcome import KeptAside
from tollgate.settings import DEFAULT_JOURNAL, Environment
from tollgate.usage.event import decode_event

Kind = Literal["refused", "conflict", "late"]

REFUSED_SOURCE: Final = "event-grid-refused"
_REFUSED_REASON: Final = "the Event Grid topic refused it"
_WHY_ASIDE: Final = {
    "conflict": "another event has its id; that one stands",
    "late": "its hour is counted and the ids of that hour are forgotten",
}
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters.

    Args:
        kind: Refused events, or what the ledger keeps aside.
        blobs: Where Event Grid's dead-letter blobs are: a folder, or a container's URL.
        reason: A part of the reason, however cased.
        source: The same of the source.
        since: Not those that came before.
        ids: Only these; empty for all.
    """

    kind: Kind = "refused"
    blobs: str | None = None
    reason: str = ""
    source: str = ""
    since: datetime | None = None
    ids: frozenset[str] = frozenset()

    def matches(self, letter: DeadLetter) -> bool:
        """Whether a letter is one of them."""
        return (
            self.reason.lower() in letter.reason.lower()
            and self.source.lower() in letter.source.lower()
            and (self.since is None or letter.received >= self.since)
            and (not self.ids or letter.id in self.ids)
        )


class Row(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A letter in a list, without its body; ordered by time.

    Args:
        received: When it came; of what the ledger keeps aside, the event's own time.
        id: As `show` and `replay` take it.
        source: Where it came from.
        reason: Why it is here.
        bytes: How long it was.
    """

    received: datetime
    id: str
    source: str
    reason: str
    bytes: int


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest letters that were wanted.

    Args:
        rows: Those, oldest first.
        matching: How many match, listed or not.
        held: What the store of refused events holds.
        aside: What the ledger keeps aside.
    """

    rows: list[Row]
    matching: int
    held: Held
    aside: KeptAside


async def list_letters(environment: Environment, wanted: Wanted, limit: int) -> Listing:
    """The first `limit` letters; few bodies are in memory at a time."""
    rows: list[Row] = []
    matching = 0
    async with IntakeRuntime(environment) as runtime:
        async for letter in _letters(runtime, environment, wanted):
            matching += 1
            rows.append(_row(letter))
            if len(rows) >= 2 * limit:
                rows = nsmallest(limit, rows)
        return Listing(
            rows=nsmallest(limit, rows),
            matching=matching,
            held=await runtime.dead_letters.held(),
            aside=await runtime.kept_aside.count(),
        )


async def find_letter(environment: Environment, letter_id: str, blobs: str | None) -> DeadLetter:
    """The letter of that id, of whatever kind.

    Raises:
        SettingsError: There is none.
    """
    async with IntakeRuntime(environment) as runtime:
        if letter := await runtime.dead_letters.find(letter_id):
            return letter
        kinds: tuple[Kind, ...] = ("refused", "conflict", "late")
        for kind in kinds:
            wanted = Wanted(kind=kind, blobs=blobs, ids=frozenset({letter_id}))
            async for letter in _letters(runtime, environment, wanted):
                return letter
    raise _not_there({letter_id})


async def replay(environment: Environment, wanted: Wanted) -> Counter[str]:
    """Send refused events through the intake; those that it takes now are forgotten.

    What the topic refused leaves its file in any case: the intake counts it, or keeps it in Redis.
    Blobs stay as they are; what is in them counts once, however often it is sent.

    Returns:
        How many became what.

    Raises:
        SettingsError: Some of the ids are not there; the others were sent.
    """
    counts: Counter[str] = Counter()
    sent: set[str] = set()
    taken_from_file: set[bytes] = set()
    async with IntakeRuntime(environment) as runtime:
        async for letter in _letters(runtime, environment, wanted):
            outcome = await _send(runtime, letter)
            counts += outcome
            sent.add(letter.id)
            if letter.source == REFUSED_SOURCE:
                taken_from_file.add(letter.body)
    if taken_from_file:
        forget_refused(_journal(environment), taken_from_file)
    if missing := wanted.ids - sent:
        raise _not_there(missing)
    return counts


async def _send(runtime: IntakeRuntime, letter: DeadLetter) -> Counter[str]:
    """A letter that was cut cannot count, so it is not even tried: it stays."""
    if letter.cut_from is not None:
        return Counter({"dead_letter": 1})
    taken = await runtime.intake.take([letter.body], source=letter.source, now=utc_now())
    if "dead_letter" not in taken:
        await runtime.dead_letters.remove(letter.id)
    return taken


async def _letters(
    runtime: IntakeRuntime, environment: Environment, wanted: Wanted
) -> AsyncIterator[DeadLetter]:
    found = (
        _refused(runtime, environment, wanted.blobs)
        if wanted.kind == "refused"
        else _aside(runtime, wanted.kind)
    )
    async for letter in found:
        if wanted.matches(letter):
            yield letter


async def _refused(
    runtime: IntakeRuntime, environment: Environment, blobs: str | None
) -> AsyncIterator[DeadLetter]:
    async for letter in runtime.dead_letters.scan():
        yield letter
    for letter in _refused_by_topic(environment):
        yield letter
    for blob in read_json_blobs(blobs) if blobs else ():
        for letter in letters_of(blob):
            yield letter


async def _aside(
    runtime: IntakeRuntime, kind: Literal["conflict", "late"]
) -> AsyncIterator[DeadLetter]:
    async for event in runtime.kept_aside.scan(kind):
        yield DeadLetter(
            reason=_WHY_ASIDE[kind],
            source=f"ledger of {event.tenant}",
            received=_time_of(event.raw),
            body=event.raw,
        )


def _time_of(raw: bytes) -> datetime:
    try:
        return decode_event(raw).event.time
    except InvalidEvent:  # of an older version, which knew another contract
        return _NO_TIME


def _row(letter: DeadLetter) -> Row:
    return Row(
        received=letter.received,
        id=letter.id,
        source=letter.source,
        reason=letter.reason,
        bytes=letter.size_bytes,
    )


def _not_there(ids: Collection[str]) -> SettingsError:
    return SettingsError(
        [
            f"there is no dead letter {letter_id!r}; see: tollgate dead-letters list"
            for letter_id in sorted(ids)
        ]
    )


def _journal(environment: Environment) -> Path:
    return environment.journal or DEFAULT_JOURNAL


def _refused_by_topic(environment: Environment) -> list[DeadLetter]:
    """What the topic refused; its time is that of the last one."""
    folder = _journal(environment)
    if not (events := read_refused(folder)):
        return []
    last = datetime.fromtimestamp((folder / REFUSED_FILE).stat().st_mtime, UTC)
    return [
        DeadLetter(reason=_REFUSED_REASON, source=REFUSED_SOURCE, received=last, body=event)
        for event in events
    ]

"""What events of one key come to, in the order in which they were recorded.

The same rules as the ledger's, written apart from it and with a memory that never ends: the archive
is judged with them. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from tollgate.ledger.booking import Booking


class Count(NamedTuple):
    """One request as it is counted.

    Args:
        place: Says when it was and who pays.
        usage: Says what it used; another event than `place` where that one was completed.
    """

    place: Booking
    usage: Booking


class Pair(NamedTuple):
    """A pending event or completion, and whether the other half came.

    Args:
        state: `open` waits for its completion, `ahead` is a completion that came first.
        half: The one that came; the first of the two where both did.
    """

    state: Literal["open", "ahead", "done"]
    half: Booking


class Settled(msgspec.Struct):
    """What events of one tenant and key come to.

    Args:
        counts: The requests.
        remembered: Hour, and whether it is a completion's, to the event that is remembered there.
        pair: Where one of them was a pending event or a completion.
        conflicts: Events with another body than the first one.
        duplicates: How many changed nothing.
    """

    counts: list[Count]
    remembered: dict[tuple[str, bool], Booking]
    pair: Pair | None
    conflicts: list[Booking]
    duplicates: int


class _Recorded(msgspec.Struct):
    archivedtime: str = ""


_recorded: Final = msgspec.json.Decoder(_Recorded)


def in_order_of_record(bookings: Iterable[Booking]) -> list[Booking]:
    """By when they were archived, where that is said; else as they come.

    The archive's files go by the hour of the events, not of their arrival.
    """
    found = list(bookings)
    if len(found) > 1:
        found.sort(key=lambda booking: _recorded.decode(booking.raw).archivedtime)
    return found


def settle(bookings: Iterable[Booking]) -> Settled:
    """Settle the events of one tenant and key, the first recorded first."""
    settled = Settled([], {}, None, [], 0)
    for booking in in_order_of_record(bookings):
        known = settled.remembered.get((booking.hour, booking.completes))
        if known is not None and known.body == booking.body:
            settled.duplicates += 1
        elif known is not None or _is_beside(booking, settled) or not _take(booking, settled):
            settled.conflicts.append(booking)
        else:
            settled.remembered[booking.hour, booking.completes] = booking
    return settled


def contradictions(bookings: Sequence[Booking]) -> list[Booking]:
    """Events of one key that contradict the first, also where the ledger cannot see it.

    Args:
        bookings: All events of a key, of any tenants and hours, the first recorded first.
    """
    first: dict[bool, Booking] = {}
    found: list[Booking] = []
    for booking in in_order_of_record(bookings):
        same = first.setdefault(booking.completes, booking)
        other = first.get(not booking.completes, booking)
        if same.body != booking.body or other.tenant != booking.tenant:
            found.append(booking)
    return found


def _is_beside(booking: Booking, settled: Settled) -> bool:
    return any((hour, booking.completes) in settled.remembered for hour in booking.beside)


def _take(booking: Booking, settled: Settled) -> bool:
    """Whether the event found its place; else it is a conflict."""
    return (_complete if booking.completes else _count)(booking, settled)


def _count(booking: Booking, settled: Settled) -> bool:
    if settled.pair is None:
        settled.counts.append(Count(booking, booking))
        settled.pair = Pair("open", booking) if booking.completable else None
        return True
    if settled.pair.state == "ahead" and booking.completable:
        settled.duplicates += 1
        _join(booking, settled.pair.half, settled)
        return True
    return False


def _complete(booking: Booking, settled: Settled) -> bool:
    if settled.pair is not None and settled.pair.state == "open":
        _join(settled.pair.half, booking, settled)
        return True
    if settled.pair is not None or settled.remembered:
        return False
    settled.counts.append(Count(booking, booking))
    settled.pair = Pair("ahead", booking)
    return True


def _join(pending: Booking, completion: Booking, settled: Settled) -> None:
    """The count of the half that came first becomes that of both."""
    assert settled.pair is not None  # noqa: S101  a half came before
    first = settled.pair.half
    settled.counts.remove(Count(first, first))
    settled.counts.append(Count(pending, completion))
    settled.pair = Pair("done", first)

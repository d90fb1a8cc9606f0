"""What the broker will deliver: batches of events, some of them refused, some in conflict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

import msgspec
from load.refused_events import refused
from load.usage_events import HOUR, Event, UsageEvents, time_of

_OPEN_SHARE: Final = 0.12
_COMPLETED: Final = 0.7  # of those that are open
_REFUSED_SHARE: Final = 0.01
_CONFLICT_SHARE: Final = 0.005
_COMPLETION_WITHIN_S: Final = 20 * 3600
_MONTHS_END: Final = timedelta(hours=15)  # of events before and after it
_LATELY: Final = timedelta(hours=30)
_ORPHANS: Final = 0.01


class Batch(msgspec.Struct, frozen=True):
    """Events that are delivered together.

    Args:
        events: As they travel.
        refused: What does not become an event.
        after: The batches that are to be acknowledged before this one is sent.
    """

    events: tuple[bytes, ...]
    refused: tuple[bytes, ...] = ()
    after: frozenset[int] = frozenset()


class Feed(msgspec.Struct, frozen=True):
    """Everything that will be delivered, each once.

    Args:
        valid: The events that count.
        refused: What does not become an event.
        conflicts: Events whose key has been taken.
        batches: All of them.
    """

    valid: list[bytes]
    refused: list[bytes]
    conflicts: list[bytes]
    batches: list[Batch]


def feed(events: int, batch_size: int, now: datetime, random: Random) -> Feed:
    """Draw a feed.

    Args:
        events: How many count.
        batch_size: How many a batch has on average.
        now: The time of the day; events lie around the last month's end and in the last days.
        random: Draws.
    """
    source = UsageEvents(random)
    valid: list[Event] = []
    while len(valid) < events:
        valid += _request(source, now, random)
    valid = sorted(valid[:events], key=lambda event: event["time"])
    raws = [encoded(event, random) for event in valid]
    wrong = [
        refused(random.choice(valid), number, now, random)
        for number in range(max(20, int(events * _REFUSED_SHARE)))
    ]
    batches, homes = _batches(raws, wrong, batch_size, random)
    taken = random.sample(range(events), max(20, int(events * _CONFLICT_SHARE)))
    against = [(encoded(_against(source, valid[of], random), random), homes[of]) for of in taken]
    return Feed(
        valid=raws,
        refused=wrong,
        conflicts=[raw for raw, _ in against],
        batches=[*batches, *_conflicting(against)],
    )


def _request(source: UsageEvents, now: datetime, random: Random) -> Iterator[Event]:
    time = _time(now, random)
    if random.random() > _OPEN_SHARE:
        yield source.final(time)
        return
    opened = source.open(time)
    later = min(time + timedelta(seconds=random.randrange(_COMPLETION_WITHIN_S)), now - HOUR)
    if random.random() >= _ORPHANS:
        yield opened
    if random.random() < _COMPLETED:
        yield source.completion(opened, later)


def _time(now: datetime, random: Random) -> datetime:
    """Around the last month's end, or lately, to the millisecond."""
    if random.random() < 0.5:
        month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        centre = min(month, now - _MONTHS_END - HOUR)
        time = centre + random.uniform(-1, 1) * _MONTHS_END
    else:
        time = now - HOUR - random.random() * _LATELY
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _against(source: UsageEvents, event: Event, random: Random) -> Event:
    """What contradicts an event: in its hour, or in the next; or completes what is final.

    Not in the hour before: an archive by hour would then show it first.
    """
    time = time_of(event)
    is_final = event["data"]["provenance"] in {"measured", "injected", "none"}
    if is_final and random.random() < 0.3:
        return source.completion(event, time)
    return source.contradiction(event, time + random.choice((0, 1)) * HOUR)


def encoded(event: Event, random: Random) -> bytes:
    """As JSON, one way or another."""
    return json.dumps(event, ensure_ascii=random.random() < 0.5).encode()


def respelled(raw: bytes, random: Random) -> bytes:
    """The same event as another broker would write it."""
    members = json.loads(raw)
    return json.dumps(members, sort_keys=True, indent=random.choice((None, 1))).encode()


def _batches(
    raws: Sequence[bytes], wrong: Sequence[bytes], size: int, random: Random
) -> tuple[list[Batch], list[int]]:
    """Batches of what came at about the same time, and in which one each event is."""
    batches: list[Batch] = []
    homes: list[int] = []
    while len(homes) < len(raws):
        taken = raws[len(homes) : len(homes) + random.randint(1, 2 * size)]
        first, last = (
            round(at * len(wrong) / len(raws)) for at in (len(homes), len(homes) + len(taken))
        )
        homes += [len(batches)] * len(taken)
        batches.append(Batch(tuple(taken), tuple(wrong[first:last])))
    return batches, homes


def _conflicting(against: Sequence[tuple[bytes, int]], size: int = 5) -> Iterator[Batch]:
    for start in range(0, len(against), size):
        some = against[start : start + size]
        homes = frozenset(home for _, home in some)
        yield Batch(tuple(raw for raw, _ in some), after=homes)

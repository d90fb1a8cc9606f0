"""Remembers in Redis which events still wait for their tokens, and which calls have an event.

    {tollgate:backfill}:waiting     hash: key digest -> the pending event, and when it first came
    {tollgate:backfill}:due         sorted set: key digest -> when to look at it next
    {tollgate:backfill}:settled     sorted set: key digest -> until when that is remembered
    {tollgate:backfill}:since       until when calls without an event were looked for
    tollgate:backfill:seen:DAY      set: digests of the ids of the direct gateway's events; expires

An event is noted before it is counted, so that a failure between the two loses nothing. What is
settled is remembered for a day, lest it wait again when it is delivered again; after that, the same
completion would be made of it, which is a duplicate.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, cast

import msgspec
from redis.asyncio import Redis

from tollgate.redis_errors import store_errors
from tollgate.usage.event import ReceivedEvent, UsageEvent, decode_event
from tollgate.usage.periods import day_of

FIRST_LOOK: Final = timedelta(minutes=5)  # the log is some minutes behind
SETTLED_FOR: Final = timedelta(days=1)
MAX_WAITING: Final = 100_000

_WAITING: Final = "{tollgate:backfill}:waiting"
_DUE: Final = "{tollgate:backfill}:due"
_SETTLED: Final = "{tollgate:backfill}:settled"
_SINCE: Final = "{tollgate:backfill}:since"
_SEEN: Final = "tollgate:backfill:seen:"
_SEEN_FOR: Final = timedelta(days=3)
_DAY: Final = timedelta(days=1)
_TOO_MANY: Final = (
    "%d events wait for their tokens already: %d more are not looked up; they stay pending, see the"
    " report's coverage"
)
_log: Final = logging.getLogger(__name__)


class Waiting(msgspec.Struct, frozen=True):
    """An event that waits for its tokens.

    Args:
        key: Its idempotency key.
        noted: When it first came.
        event: The event.
    """

    key: bytes
    noted: datetime
    event: UsageEvent


class _Noted(msgspec.Struct, frozen=True):
    noted: datetime
    raw: bytes


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Noted)


class AwaitedEvents:
    """What the intake notes and the backfill looks up. Every method may raise `StoreUnavailable`.

    Args:
        redis: A client that returns bytes.
        gateway: The id of the gateway whose calls are to have an event each; None for no such one.
        max_waiting: How many wait at most.
    """

    def __init__(
        self, redis: Redis, gateway: str | None = None, max_waiting: int = MAX_WAITING
    ) -> None:
        self._redis = redis
        self._gateway = gateway
        self._max_waiting = max_waiting

    async def before(self, events: Sequence[ReceivedEvent], now: datetime) -> None:
        """Note what waits, and what there is of the direct gateway."""
        await self._note_seen([each for each in events if self._is_direct(each)])
        await self._note([each for each in events if self._waits(each)], now)

    async def after(self, events: Sequence[ReceivedEvent], now: datetime) -> None:
        """What is completed waits no more."""
        await self.settle([each.key for each in events if each.event.data.completes], now)

    async def due(self, now: datetime, most: int) -> list[Waiting]:
        """Events that are to be looked at now, the longest due first."""
        span = {"min": "-inf", "max": now.timestamp(), "start": 0, "num": most}
        keys = cast("list[bytes]", await self._do("zrangebyscore", _DUE, **span))
        if not keys:
            return []
        values = cast("list[bytes | None]", await self._do("hmget", _WAITING, keys))
        gone = [key for key, value in zip(keys, values, strict=True) if not value]
        if gone:  # they would stand before the others forever
            await self._do("zrem", _DUE, *gone)
        return [_waiting(key, value) for key, value in zip(keys, values, strict=True) if value]

    async def look_again(self, keys: Iterable[bytes], when: datetime) -> None:
        """Look at these again then."""
        if due := dict.fromkeys(keys, when.timestamp()):
            await self._do("zadd", _DUE, due)

    async def settle(self, keys: Collection[bytes], now: datetime) -> None:
        """These wait no more, also when they are delivered again."""
        if not keys:
            return
        until = (now + SETTLED_FOR).timestamp()
        await self._do("zadd", _SETTLED, dict.fromkeys(keys, until))
        await self._do("zremrangebyscore", _SETTLED, "-inf", now.timestamp())
        await self._do("zrem", _DUE, *keys)
        await self._do("hdel", _WAITING, *keys)

    async def count(self) -> int:
        """How many wait."""
        return cast("int", await self._do("hlen", _WAITING))

    async def unseen(self, calls: dict[str, datetime]) -> set[str]:
        """Those of the calls that have no event of the direct gateway.

        Args:
            calls: Ids, and about when; a day more or less does not matter.
        """
        unseen = set(calls)
        for day in sorted({day_of(time + shift) for time in calls.values() for shift in _AROUND}):
            asked = sorted(unseen)
            if not asked:
                break
            answers = await self._do("smismember", _SEEN + day, [_digest(each) for each in asked])
            unseen -= {each for each, is_there in zip(asked, answers, strict=True) if is_there}
        return unseen

    async def since(self) -> datetime | None:
        """Until when calls without an event were looked for."""
        found = cast("bytes | None", await self._do("get", _SINCE))
        return datetime.fromisoformat(found.decode()) if found else None

    async def set_since(self, since: datetime) -> None:
        """Until then they were looked for."""
        await self._do("set", _SINCE, since.astimezone(UTC).isoformat())

    def _is_direct(self, received: ReceivedEvent) -> bool:
        return received.event.data.gateway == self._gateway

    def _waits(self, received: ReceivedEvent) -> bool:
        """Pending events do, and those of the direct gateway of which it could not see the end."""
        provenance = received.event.data.provenance
        return provenance == "pending" or (provenance == "unknown" and self._is_direct(received))

    async def _note(self, events: Sequence[ReceivedEvent], now: datetime) -> None:
        if not events:
            return
        until = await self._do("zmscore", _SETTLED, [each.key for each in events])
        new = {each.key: each for each, at in zip(events, until, strict=True) if at is None}
        waiting = await self.count()
        if waiting + len(new) > self._max_waiting:
            _log.critical(_TOO_MANY, waiting, len(new))
            return
        pipeline = self._redis.pipeline(transaction=False)
        for key, each in new.items():
            pipeline.hsetnx(_WAITING, key, _encoder.encode(_Noted(now, each.raw)))
            pipeline.zadd(_DUE, {key: (now + FIRST_LOOK).timestamp()}, nx=True)
        with store_errors():
            await pipeline.execute()

    async def _note_seen(self, events: Sequence[ReceivedEvent]) -> None:
        by_day: dict[str, list[bytes]] = {}
        for each in events:
            by_day.setdefault(day_of(each.event.time), []).append(_digest(each.event.id))
        for day, digests in by_day.items():
            await self._do("sadd", _SEEN + day, *digests)
            await self._do("expire", _SEEN + day, _SEEN_FOR)

    async def _do(self, command: str, *args: Any, **options: Any) -> Any:
        with store_errors():
            return await getattr(self._redis, command)(*args, **options)


_AROUND: Final = (-_DAY, timedelta(0), _DAY)


def _waiting(key: bytes, value: bytes) -> Waiting:
    noted = _decoder.decode(value)
    return Waiting(key, noted.noted, decode_event(noted.raw).event)


def _digest(event_id: str) -> bytes:
    return blake2b(event_id.encode(), digest_size=8).digest()

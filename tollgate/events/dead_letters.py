"""Keeps what was refused, with the reason, so that someone can look at it and send it again.

The store has bounds, for it shares its Redis with the ledger. A body over 1 MB, which no broker
delivers and the intake refuses for its size, is cut. What comes when the store is full is not kept:
it is counted, logged as critical, and `/health` and `tollgate dead-letters list` say so.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final, Protocol, cast

import msgspec
from redis.asyncio import Redis

from tollgate.redis_errors import store_errors
from tollgate.usage.event import MAX_EVENT_BYTES

MAX_LETTERS: Final = 100_000
MAX_BYTES: Final = 128 * 1024 * 1024
CUT_TO_BYTES: Final = 64 * 1024

_KEY: Final = "tollgate:dead_letters"
# The braces put these into the slot of the key above.
_BYTES_KEY: Final = "{tollgate:dead_letters}:bytes"
_BEYOND_KEY: Final = "{tollgate:dead_letters}:beyond"
_LETTERS_A_SCAN: Final = 50
_FULL: Final = (
    "the store of dead letters is full (%d letters, %d bytes): %d refused events are not kept;"
    " see: tollgate dead-letters list"
)
_SCRIPTS: Final = files("tollgate.events")
_encoder: Final = msgspec.msgpack.Encoder()
_log: Final = logging.getLogger(__name__)


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A refused event.

    Args:
        reason: Why, in words.
        source: Where it came from: a trigger's or a file's name.
        received: When.
        body: The bytes as they came.
        cut_from: How many bytes came, where `body` has only the first of them.
    """

    reason: str
    source: str
    received: datetime
    body: bytes
    cut_from: int | None = None

    @property
    def id(self) -> str:
        """The same for the same body from the same source, however often it comes."""
        digest = blake2b(self.source.encode() + b"\0" + self.body, digest_size=8)
        if self.cut_from is not None:
            digest.update(b"\0%d" % self.cut_from)
        return digest.hexdigest()

    @property
    def size_bytes(self) -> int:
        """How many bytes came."""
        return len(self.body) if self.cut_from is None else self.cut_from


class DeadLetters(Protocol):
    """Where refused events are kept."""

    async def keep(self, letters: list[DeadLetter]) -> None:
        """Keep them; one that is there already is not kept twice.

        Raises:
            StoreUnavailable: Nothing was kept; try again.
        """
        ...


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds.

    Args:
        letters: How many.
        bytes: How much.
        beyond: How many were not kept, for the store was full; one that came twice counts twice.
        full: Whether it may not keep the next one.
    """

    letters: int
    bytes: int
    beyond: int
    full: bool


class RedisDeadLetters:
    """Dead letters in one Redis hash, by id.

    Args:
        redis: A client that returns bytes.
        max_letters: How many are kept at most.
        max_bytes: How many bytes they have together at most.
    """

    def __init__(
        self, redis: Redis, max_letters: int = MAX_LETTERS, max_bytes: int = MAX_BYTES
    ) -> None:
        self._redis = redis
        self._max_letters = max_letters
        self._max_bytes = max_bytes
        self._keep = redis.register_script(_script("keep_dead_letters.lua"))
        self._forget = redis.register_script(_script("forget_dead_letter.lua"))

    async def keep(self, letters: list[DeadLetter]) -> None:
        """Keep them; one that is there already stays as it is.

        Raises:
            StoreUnavailable: Redis did not take them all; try again.
        """
        keys = (_KEY, _BYTES_KEY, _BEYOND_KEY)
        beyond = 0
        with store_errors():
            for letter in map(_cut, letters):
                bounds = (self._max_letters, self._max_bytes)
                arguments = [*bounds, letter.id, _encoder.encode(letter)]
                beyond += int(await self._keep(keys=keys, args=arguments))
        if beyond:
            _log.critical(_FULL, self._max_letters, self._max_bytes, beyond)

    async def scan(self) -> AsyncIterator[DeadLetter]:
        """Every dead letter, in no order, few in memory at a time; what changes may be missed.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        cursor, seen = 0, set[str]()  # a scan may show one twice
        while True:
            with store_errors():
                answer: Any = await self._redis.hscan(_KEY, cursor, count=_LETTERS_A_SCAN)
            cursor = int(answer[0])
            for field, value in cast("dict[bytes, bytes]", answer[1]).items():
                if (letter_id := field.decode()) not in seen:
                    seen.add(letter_id)
                    yield _decoded(value)
            if cursor == 0:
                return

    async def all(self) -> list[DeadLetter]:
        """Every dead letter, oldest first.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        letters = [letter async for letter in self.scan()]
        return sorted(letters, key=lambda letter: (letter.received, letter.id))

    async def find(self, letter_id: str) -> DeadLetter | None:
        """The one of that id.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        with store_errors():
            value = await self._redis.hget(_KEY, letter_id)
        return None if value is None else _decoded(cast("bytes", value))

    async def remove(self, letter_id: str) -> None:
        """Forget one that was sent again.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        with store_errors():
            await self._forget(keys=(_KEY, _BYTES_KEY), args=(letter_id,))

    async def held(self) -> Held:
        """How much is here, and how much is not.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        with store_errors():
            letters = await self._redis.hlen(_KEY)
            held_bytes, beyond = [
                int(value or 0)
                for value in (
                    await self._redis.get(_BYTES_KEY),
                    await self._redis.get(_BEYOND_KEY),
                )
            ]
        full = letters >= self._max_letters or held_bytes + MAX_EVENT_BYTES > self._max_bytes
        return Held(letters=letters, bytes=held_bytes, beyond=beyond, full=full)


def _script(name: str) -> bytes:
    return _SCRIPTS.joinpath(name).read_bytes()


def _cut(letter: DeadLetter) -> DeadLetter:
    if len(letter.body) <= MAX_EVENT_BYTES:
        return letter
    head = letter.body[:CUT_TO_BYTES]
    return msgspec.structs.replace(letter, body=head, cut_from=len(letter.body))


def _decoded(value: bytes) -> DeadLetter:
    return msgspec.msgpack.decode(value, type=DeadLetter)

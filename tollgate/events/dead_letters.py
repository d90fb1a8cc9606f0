"""Keeps what was refused, with the reason, so that someone can look at it and send it again."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Final, Protocol, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tollgate.errors import StoreUnavailable

_KEY: Final = "tollgate:dead_letters"
_encoder: Final = msgspec.msgpack.Encoder()


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A refused event.

    Args:
        reason: Why, in words.
        source: Where it came from: a trigger's or a file's name.
        received: When.
        body: The bytes as they came.
    """

    reason: str
    source: str
    received: datetime
    body: bytes

    @property
    def id(self) -> str:
        """The same for the same body from the same source, however often it comes."""
        return blake2b(self.source.encode() + b"\0" + self.body, digest_size=8).hexdigest()


class DeadLetters(Protocol):
    """Where refused events are kept."""

    async def keep(self, letters: list[DeadLetter]) -> None:
        """Keep them; one that is there already is not kept twice.

        Raises:
            StoreUnavailable: Nothing was kept; try again.
        """
        ...


class RedisDeadLetters:
    """Dead letters in one Redis hash, by id."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep(self, letters: list[DeadLetter]) -> None:
        """Keep them; one that is there already stays as it is.

        Raises:
            StoreUnavailable: Redis did not take them all; try again.
        """
        try:
            for letter in letters:
                await self._redis.hsetnx(_KEY, letter.id, _encoder.encode(letter))
        except RedisError as error:
            raise _unavailable(error) from None

    async def all(self) -> list[DeadLetter]:
        """Every dead letter, oldest first.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        try:
            found = cast("dict[bytes, bytes]", await self._redis.hgetall(_KEY))
        except RedisError as error:
            raise _unavailable(error) from None
        letters = [msgspec.msgpack.decode(value, type=DeadLetter) for value in found.values()]
        return sorted(letters, key=lambda letter: (letter.received, letter.id))

    async def remove(self, letter_id: str) -> None:
        """Forget one that was sent again.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        try:
            await self._redis.hdel(_KEY, letter_id)
        except RedisError as error:
            raise _unavailable(error) from None


def _unavailable(error: RedisError) -> StoreUnavailable:
    return StoreUnavailable(f"Redis did not take the dead letters: {type(error).__name__}")

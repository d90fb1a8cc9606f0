"""Keeps what was refused, with the reason, so that someone can look at it and send it again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Protocol

import msgspec

_KEY: Final = "tollgate:dead_letters"


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
        return blake2b(
            self.source.encode() + b"\0" + self.body, digest_size=8
        ).hexdigest()


class DeadLetters(Protocol):
    """Where refused events are kept."""

    async def keep(self, letters: list[DeadLetter]) -> None:
        """Keep them; one that is there already is not kept twice.

        Raises:
            StoreUnavailable: Nothing was kept; try again.
        """
        ...


class _HashClient(Protocol):
    async def hset(self, name: str, *, mapping: dict[str, bytes]) -> Any: ...
    async def hgetall(self, name: str) -> dict[bytes, bytes]: ...

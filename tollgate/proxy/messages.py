"""A request and an answer, as the handler sees them whatever server carries them."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

Headers = tuple[tuple[str, str], ...]

JSON_TYPE: Final = "application/json"
EVENT_STREAM_TYPE: Final = "text/event-stream"


class ByteStream(Protocol):
    """A streamed body, an async iterator of bytes. Whoever stops early calls `abandon`."""

    def __aiter__(self) -> ByteStream:
        """Itself."""
        ...

    async def __anext__(self) -> bytes:
        """The next bytes."""
        ...

    def abandon(self) -> None:
        """The client is gone; does nothing when the stream is over."""
        ...


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a client sent.

    Args:
        method: Upper case.
        path: The path, percent-decoded.
        query: The query as it came, without `?`.
        headers: Names in lower case, in order; repeated ones stand repeatedly.
        varying: Those of them that an edge keeps apart because they are different each time.
        body: The whole body; None for one that is longer than the edge reads.
    """

    method: str
    path: str
    query: str
    headers: Headers
    varying: Headers = ()
    body: bytes | None
    _first: dict[str, str] = {}

    def header(self, name: str) -> str | None:
        """The first header of that (lower-case) name."""
        if not self._first:
            self._first.update(reversed(self.varying))
            self._first.update(reversed(self.headers))
        return self._first.get(name)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back. A streamed body must be iterated to its end, or abandoned."""

    status: int
    headers: Headers
    body: bytes | ByteStream

"""Writes to one client, and knows whether it reads."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Final

from tollgate.proxy.write_turn import WriteTurn

# What is written within one turn of the loop goes out together; more than this goes out before.
_MOST_JOINED_BYTES: Final = 64 * 1024


class ClientWriter:
    """Writes on one connection.

    Args:
        turn: When it writes.
        loop: The event loop.

    Attributes:
        unread_since_s: On the loop's clock, since when the client has not read; else infinite.
    """

    __slots__ = (
        "_joined",
        "_joined_bytes",
        "_loop",
        "_readable",
        "_transport",
        "_turn",
        "unread_since_s",
    )

    def __init__(self, turn: WriteTurn, loop: asyncio.AbstractEventLoop) -> None:
        self._turn = turn
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._readable: asyncio.Future[None] | None = None
        self._joined: list[bytes] = []
        self._joined_bytes = 0
        self.unread_since_s = inf

    def opened(self, transport: asyncio.Transport | None) -> None:
        """The connection is there; None when it is there no more."""
        self._transport = transport
        self.unread_since_s = inf

    def write(self, data: bytes) -> None:
        """Write before the loop waits for anything again; nothing to a client that has left."""
        if not self._joined:
            self._turn.add(self)
        self._joined.append(data)
        self._joined_bytes += len(data)
        if self._joined_bytes > _MOST_JOINED_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write at once; see `Writer`."""
        joined, self._joined, self._joined_bytes = self._joined, [], 0
        if joined and self._transport is not None:
            self._transport.write(joined[0] if len(joined) == 1 else b"".join(joined))

    def pause(self) -> None:
        """The client does not read."""
        self.unread_since_s = self._loop.time()
        self._readable = self._loop.create_future()

    def resume(self) -> None:
        """The client has read."""
        self.unread_since_s = inf
        if self._readable is not None and not self._readable.done():
            self._readable.set_result(None)
        self._readable = None

    @property
    def is_unread(self) -> bool:
        """Whether the client has left more unread than sockets hold."""
        return self._readable is not None

    async def read(self) -> None:
        """Wait until the client has read what was written, but for what sockets hold."""
        if self._readable is not None:
            await self._readable

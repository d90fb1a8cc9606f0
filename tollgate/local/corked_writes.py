"""Joins what is written within one turn of the event loop, to send it with one system call.

That is an answer's head and body, or the frames of a stream that came in one piece.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

# More than this is sent at once, so that the transport's own back-pressure is felt.
_MOST_BYTES: Final = 64 * 1024


class CorkedTransport:
    """A transport whose writes go out at the end of the turn; the rest is the transport's own.

    Args:
        transport: Sends.
        loop: Whose turns they are.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send `data` before the loop waits for anything again."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what waits; to a client that has left, nothing goes any more."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting and not self._transport.is_closing():
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def get_write_buffer_size(self) -> int:
        """How many bytes are not sent yet."""
        return self._size + self._transport.get_write_buffer_size()

    def write_eof(self) -> None:
        """End our side when all is sent."""
        self.flush()
        self._transport.write_eof()

    def abort(self) -> None:
        """Close at once, whatever waits."""
        self._waiting.clear()
        self._transport.abort()

    def close(self) -> None:
        """Close when all is sent."""
        self.flush()
        self._transport.close()

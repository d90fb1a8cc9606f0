"""What a client's connection does whatever is said on it: it opens, waits, closes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final, cast

from tollgate.proxy.client_bounds import Server
from tollgate.proxy.client_writing import ClientWriter

# How long bytes are thrown away after a refusal: to close at once would reset the connection, and
# take the answer from a client that still sends.
_LINGER_S: Final = 1.0


class ClientTransport(asyncio.Protocol):
    """Belongs to the server's loop.

    Args:
        server: Looks after the connection.

    Attributes:
        server: The same.
        writer: Writes to the client.
        transport: None when the client has left.
        deaf: Whether what the client sends is thrown away.
        waits: Whether something is waited for, the rest of a head or of a body.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.writer = ClientWriter(server.turn, server.loop)
        self.transport: asyncio.Transport | None = None
        self.deaf = self.waits = self._reading_paused = False
        self._due_s = inf
        self._overdue = self.abort

    def check(self, now_s: float) -> None:
        """Look whether something takes too long."""
        if now_s - self.writer.unread_since_s > self.server.bounds.send_timeout_s:
            self.abort()
        elif now_s > self._due_s:
            self._due_s = inf
            self._overdue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        self.transport = cast("asyncio.Transport", transport)
        self.writer.opened(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        del exc
        self.transport = None
        self.writer.opened(None)
        self._due_s = inf

    def pause_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        self.writer.pause()
        self.stop_reading()

    def resume_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        self.writer.resume()

    def wait(self, seconds: float, overdue: Callable[[], None]) -> None:
        """Wait for the rest of something; `overdue` is called when it does not come in time."""
        self.waits = True
        self._due_s = self.server.loop.time() + seconds
        self._overdue = overdue

    def rest(self, seconds: float, overdue: Callable[[], None]) -> None:
        """Wait for whatever comes."""
        self.wait(seconds, overdue)
        self.waits = False

    def stop_waiting(self) -> None:
        """It is here."""
        self.waits = False
        self._due_s = inf

    def stop_reading(self) -> None:
        """Leave what the client sends in its sockets."""
        if not self._reading_paused and self.transport is not None:
            self._reading_paused = True
            self.transport.pause_reading()

    def read_on(self) -> None:
        """Read again, unless the client does not read itself."""
        if self._reading_paused and self.transport is not None and not self.writer.is_unread:
            self._reading_paused = False
            self.transport.resume_reading()

    def close(self, *, sends_still: bool) -> None:
        """Close when all is written; a client that sends still is heard out for a moment."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        self.writer.flush()
        self.deaf = True
        if sends_still:
            transport.write_eof()
            self.server.loop.call_later(_LINGER_S, transport.close)
        else:
            transport.close()

    def abort(self) -> None:
        """Close at once; what was written goes out as far as it can at once."""
        if self.transport is not None:
            self.writer.flush()
            self.transport.abort()

"""Keeps connections to backends, so that most requests need not open one."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Final

from tollgate.proxy.upstream_connecting import open_socket
from tollgate.proxy.upstream_connection import INCOMING_BYTES, BackendConnection
from tollgate.proxy.upstream_head import Origin
from tollgate.proxy.write_turn import WriteTurn

# Azure's front ends cut idle connections at 4 minutes, other load balancers at one.
_IDLE_S: Final = 55.0
_MAX_IDLE: Final = 256  # for each origin
_MAX_SWEEP_S: Final = 1.0
_CLOSING_S: Final = 1.0


class ConnectionPool:
    """Belongs to the loop on which it is first used; close it when done.

    Args:
        silence_timeout_s: How long a backend that somebody waits for may pause.
        tls: For `https`; None means the machine's certificate authorities.
        idle_s: How long a connection is kept without a request.
        max_idle: How many of them, for each origin.
    """

    def __init__(
        self,
        silence_timeout_s: float,
        tls: ssl.SSLContext | None = None,
        *,
        idle_s: float = _IDLE_S,
        max_idle: int = _MAX_IDLE,
    ) -> None:
        self._silence_timeout_s = silence_timeout_s
        self._tls = tls
        self._idle_s = idle_s
        self._max_idle = max_idle
        self._sweep_s = min(_MAX_SWEEP_S, silence_timeout_s / 4, idle_s / 4)
        self._incoming = memoryview(bytearray(INCOMING_BYTES))
        self._idle: dict[Origin, list[BackendConnection]] = {}
        self._open: set[BackendConnection] = set()
        self._sweep_due: asyncio.TimerHandle | None = None
        self._turn: WriteTurn | None = None
        self._closed = False
        self._lost = asyncio.Event()

    @property
    def open_connections(self) -> int:
        """How many connections there are, idle or not."""
        return len(self._open)

    def take(self, origin: Origin) -> BackendConnection | None:
        """The connection that was used last, if any is idle: the others may then grow old."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.reusable:
                return connection
            connection.abort()
        return None

    def give_back(self, origin: Origin, connection: BackendConnection) -> None:
        """Keep a connection for the next request, unless it is of no more use."""
        idle = self._idle.setdefault(origin, [])
        if self._closed or not connection.reusable or len(idle) >= self._max_idle:
            connection.abort()
            return
        connection.rest()
        idle.append(connection)

    async def open(self, origin: Origin) -> BackendConnection:
        """A new connection. The caller bounds the time; a cancelled call leaves nothing open.

        Raises:
            OSError: It cannot be opened; certificate errors are of this kind as well.
        """
        loop = asyncio.get_running_loop()
        connected = await open_socket(origin.host, origin.port)
        try:
            _, connection = await loop.create_connection(
                lambda: BackendConnection(self._turn_of(loop), loop, self._incoming, self._forget),
                sock=connected,
                ssl=self._tls_context() if origin.tls else None,
                server_hostname=origin.host if origin.tls else None,
            )
        except BaseException:
            connected.close()
            raise
        self._watch(loop, connection)
        return connection

    def _turn_of(self, loop: asyncio.AbstractEventLoop) -> WriteTurn:
        if self._turn is None:
            self._turn = WriteTurn(loop)
        return self._turn

    def _watch(self, loop: asyncio.AbstractEventLoop, connection: BackendConnection) -> None:
        if self._closed or connection.broken:
            connection.abort()
            raise ConnectionAbortedError
        self._open.add(connection)
        if self._sweep_due is None:
            self._sweep_due = loop.call_later(self._sweep_s, self._sweep, loop)

    async def close(self) -> None:
        """Close all connections; who waits for an answer is told."""
        self._closed = True
        if self._sweep_due is not None:
            self._sweep_due.cancel()
        for connection in list(self._open):
            connection.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                while self._open:
                    self._lost.clear()
                    await self._lost.wait()

    def _forget(self, connection: BackendConnection) -> None:
        self._open.discard(connection)
        self._lost.set()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer for all connections, as long as there are any."""
        now_s = loop.time()
        for origin, idle in list(self._idle.items()):
            self._idle[origin] = [each for each in idle if self._keeps(each, now_s)]
            if not self._idle[origin]:
                del self._idle[origin]
        for connection in list(self._open):
            connection.check_silence(now_s, self._silence_timeout_s)
        self._sweep_due = loop.call_later(self._sweep_s, self._sweep, loop) if self._open else None

    def _keeps(self, connection: BackendConnection, now_s: float) -> bool:
        kept = connection.reusable and now_s - connection.idle_since_s < self._idle_s
        if not kept:
            connection.abort()
        return kept

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

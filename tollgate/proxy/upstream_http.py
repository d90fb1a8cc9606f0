"""Sends requests to backends over HTTP/1.1.

A client of its own, for on the request path a general one costs more than all the rest. A request
takes one write, one future and no task.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from tollgate.proxy.ports import BackendFailed, UpstreamRequest
from tollgate.proxy.upstream_answer import HttpAnswer
from tollgate.proxy.upstream_connection import BackendConnection
from tollgate.proxy.upstream_head import Origin, request_start
from tollgate.proxy.upstream_pool import ConnectionPool

# A stream that says nothing for so long is dead: load balancers cut idle connections at 4 minutes.
_SILENCE_TIMEOUT_S: Final = 240.0
_CONNECT_TIMEOUT_S: Final = 5.0
# A backend that had closed an idle connection says so within one round trip. One that is silent
# for longer and then breaks off has been at work on the request, and may bill it.
_CLOSED_WHILE_IDLE_S: Final = 0.5
# Connections that were given up here; the backend may well be at work.
_OUR_OWN_ENDS: Final = frozenset({TimeoutError.__name__, ConnectionAbortedError.__name__})


class HttpUpstream:
    """A pool of connections; close it when done. Belongs to one event loop.

    Args:
        connect_timeout_s: How long a connection may take, with its name's look-up and TLS.
        silence_timeout_s: How long a backend may pause.
        tls: For `https`; None means the machine's certificate authorities.
    """

    def __init__(
        self,
        connect_timeout_s: float = _CONNECT_TIMEOUT_S,
        silence_timeout_s: float = _SILENCE_TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._pool = ConnectionPool(silence_timeout_s, tls)

    @property
    def open_connections(self) -> int:
        """How many connections there are, idle or not."""
        return self._pool.open_connections

    async def send(self, request: UpstreamRequest) -> HttpAnswer:
        """Send once, or again if the connection was an old one that the backend had closed.

        Raises:
            BackendFailed: The backend could not be reached, or broke off before its headers.
            ValueError: The URL or a header cannot be sent; the message repeats neither.
        """
        origin, head = request_start(request)
        connection = self._pool.take(origin)
        if connection is not None:
            await _exchange(connection, head, request.body)
            was_at_work = connection.heard or connection.sent_ago_s > _CLOSED_WHILE_IDLE_S
            if was_at_work or connection.broken in _OUR_OWN_ENDS:
                return self._answer(origin, connection)
        connection = await self._connect(origin)
        await _exchange(connection, head, request.body)
        return self._answer(origin, connection)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    async def _connect(self, origin: Origin) -> BackendConnection:
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                return await self._pool.open(origin)
        except (OSError, UnicodeError) as error:  # a name that IDNA does not know is a UnicodeError
            raise BackendFailed(f"cannot connect: {type(error).__name__}") from None

    def _answer(self, origin: Origin, connection: BackendConnection) -> HttpAnswer:
        if not connection.answer.headed:
            reason = f"broke off before its answer: {connection.broken}"
            raise BackendFailed(reason, may_have_cost=True)
        try:
            return HttpAnswer(connection, origin, self._pool)
        except ValueError as error:
            connection.abort()
            raise BackendFailed(f"answered with {error}", may_have_cost=True) from None


async def _exchange(connection: BackendConnection, head: bytes, body: bytes) -> None:
    """Send, and wait for the answer's head, or until the connection is `broken`."""
    try:
        connection.send(head, body)
        while not (connection.answer.headed or connection.broken):
            await connection.changed()
    except BaseException:
        connection.abort()
        raise

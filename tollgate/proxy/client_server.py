"""Looks after the connections of clients: one timer for all of them, and an orderly end."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Final, Protocol

from tollgate.proxy.client_bounds import Connection, ConnectionBounds, Page
from tollgate.proxy.client_connection import ClientConnection
from tollgate.proxy.handler import Gateway
from tollgate.proxy.write_turn import WriteTurn

_MAX_SWEEP_S: Final = 1.0
_DEFAULT_BOUNDS: Final = ConnectionBounds()


class Site(Protocol):
    """What is served."""

    @property
    def gateway(self) -> Gateway:
        """The gateway; another one when the settings change."""
        ...

    def page(self, path: str) -> Page | None:
        """A page beside it, which anyone may see."""
        ...


class ClientServer:
    """Serves a site on one event loop; see `Server` of a connection.

    Args:
        site: What is served.
        loop: The event loop.
        bounds: On connections.
    """

    def __init__(
        self,
        site: Site,
        loop: asyncio.AbstractEventLoop,
        bounds: ConnectionBounds = _DEFAULT_BOUNDS,
    ) -> None:
        self._site = site
        self.loop = loop
        self.turn = WriteTurn(loop)
        self.bounds = bounds
        self.page = site.page
        self.date = _date_line()
        self._connections: set[Connection] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._is_ending = False
        shortest_s = min(bounds.head_timeout_s, bounds.idle_timeout_s, bounds.send_timeout_s)
        self._sweep_s = min(_MAX_SWEEP_S, shortest_s / 4)
        self._sweep_due = loop.call_later(self._sweep_s, self._sweep)

    @property
    def gateway(self) -> Gateway:
        """The one that serves at the moment."""
        return self._site.gateway

    def connect(self) -> ClientConnection:
        """What serves a new connection; see `asyncio.loop.create_server`."""
        return ClientConnection(self)

    def opened(self, connection: Connection) -> None:
        """A connection is there."""
        self._connections.add(connection)
        self._none_left.clear()
        if self._is_ending:
            connection.end()

    def closed(self, connection: Connection) -> None:
        """The client is there no more; what it asked for may still be under way."""
        task = connection.task
        if task is None or task.done():
            self._forget(connection)
        else:
            task.add_done_callback(lambda _: self._forget(connection))

    async def end(self, patience_s: float) -> None:
        """Let what is under way come to its end; what takes longer is cut short.

        Args:
            patience_s: How long to wait.
        """
        self._is_ending = True
        for connection in list(self._connections):
            connection.end()
        try:
            async with asyncio.timeout(patience_s):
                await self._none_left.wait()
        except TimeoutError:
            for connection in list(self._connections):
                connection.give_up()
            await self._none_left.wait()
        self._sweep_due.cancel()

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._none_left.set()

    def _sweep(self) -> None:
        self._sweep_due = self.loop.call_later(self._sweep_s, self._sweep)
        self.date = _date_line()
        now_s = self.loop.time()
        for connection in list(self._connections):
            connection.check(now_s)


def _date_line() -> str:
    return f"date: {formatdate(usegmt=True)}"

"""What a connection of a client may take, and what it asks of the server that it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from tollgate.proxy.handler import Gateway
from tollgate.proxy.messages import Answer
from tollgate.proxy.write_turn import WriteTurn

Page = Callable[[], Awaitable[Answer]]


class ConnectionBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a client's connection may take, beside bodies and streams.

    Args:
        max_head_bytes: Of a request's head, and of what else is no body.
        head_timeout_s: For the whole of a head to arrive.
        idle_timeout_s: How long a connection is kept without a request.
        send_timeout_s: How long a client may leave unread what is sent to it.
    """

    max_head_bytes: int = 64 * 1024
    head_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    send_timeout_s: float = 300.0


class Connection(Protocol):
    """A connection, as the server sees it."""

    @property
    def task(self) -> asyncio.Task[None] | None:
        """Answers its requests."""
        ...

    def check(self, now_s: float) -> None:
        """Look whether something takes too long."""
        ...

    def end(self) -> None:
        """Close as soon as nothing is under way."""
        ...

    def give_up(self) -> None:
        """Close at once, whatever is under way."""
        ...


class Server(Protocol):
    """The server, as a connection sees it.

    Attributes:
        loop: Its event loop.
        turn: Takes what is written.
        bounds: On connections.
        date: A line of every answer.
    """

    loop: asyncio.AbstractEventLoop
    turn: WriteTurn
    bounds: ConnectionBounds
    date: str

    @property
    def gateway(self) -> Gateway:
        """The one that serves at the moment."""
        ...

    def page(self, path: str) -> Page | None:
        """A page of the server's own, which anyone may see."""
        ...

    def opened(self, connection: Connection) -> None:
        """A connection is there."""
        ...

    def closed(self, connection: Connection) -> None:
        """It is there no more."""
        ...

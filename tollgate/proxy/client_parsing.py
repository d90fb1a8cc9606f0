"""Parses the requests of one connection, with httptools; does no I/O."""

from __future__ import annotations

from math import inf
from typing import Final, Protocol

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from tollgate.proxy.client_messages import VARYING, lower_name
from tollgate.proxy.handler import Arrival, Gateway

# What the framing of one piece of a chunked body may take: its size, its line ends.
_CHUNK_BYTES: Final = 16


class MalformedRequestError(Exception):
    """What was sent is no HTTP/1.1, or smuggles."""


class LargeHeadError(Exception):
    """A head, trailers or framing beyond the bound."""


class Incoming:
    """A request while it comes in and is answered.

    Attributes:
        method: As sent.
        url: The request's target.
        headers: Names in lower case; without those that vary.
        varying: Those.
        size: How much of the body came.
        limit: How much of it is kept.
        keep_alive: Whether another request may follow on the connection.
        headed: Whether all of its head is here.
        complete: Whether all of it is here.
        started: Whether it is being answered, or was.
        answered: Whether all of the answer is written.
        gateway: Who answers it, once its turn has come.
        arrival: The same.
    """

    __slots__ = (
        "_chunks",
        "answered",
        "arrival",
        "complete",
        "gateway",
        "headed",
        "headers",
        "keep_alive",
        "limit",
        "method",
        "size",
        "started",
        "url",
        "varying",
    )

    def __init__(self) -> None:
        self.method = self.url = b""
        self.headers: list[tuple[str, bytes]] = []
        self.varying: list[tuple[str, str]] = []
        self._chunks: list[bytes] = []
        self.size = 0
        self.limit = inf
        self.keep_alive = True
        self.headed = self.complete = self.started = self.answered = False
        self.gateway: Gateway | None = None
        self.arrival: Arrival | None = None

    def add(self, piece: bytes) -> bool:
        """Keep a piece of the body; False if it is too long, and then nothing is kept."""
        self.size += len(piece)
        if self.size > self.limit:
            self._chunks.clear()
            return False
        self._chunks.append(piece)
        return True

    def take_body(self) -> bytes:
        """The body."""
        chunks, self._chunks = self._chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits to be told that its body is wanted."""
        return ("expect", "100-continue") in [(name, value.lower()) for name, value in self.varying]


class Owner(Protocol):
    """Who is told what has come."""

    def headed(self, incoming: Incoming) -> None:
        """The head of a request is here."""
        ...

    def too_long(self, incoming: Incoming) -> None:
        """Its body is longer than its limit."""
        ...

    def ended(self, incoming: Incoming) -> None:
        """All of it is here."""
        ...


class RequestParser:
    """Parses one request after the other.

    Args:
        owner: Is told.
        max_head_bytes: The bound on what is no body.

    Attributes:
        upgrade: Whether a request wants another protocol; what follows it is not read.
    """

    __slots__ = ("_incoming", "_max_head_bytes", "_other_bytes", "_owner", "_parser", "upgrade")

    def __init__(self, owner: Owner, max_head_bytes: int) -> None:
        self._owner = owner
        self._max_head_bytes = max_head_bytes
        self._other_bytes = 0  # of a request's bytes those that are no body
        self._incoming = Incoming()
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self.upgrade = False

    def feed(self, data: bytes) -> None:
        """Parse what was received.

        Raises:
            MalformedRequestError: It is no HTTP.
            LargeHeadError: What is no body goes beyond the bound.
        """
        if self._parser is None or self.upgrade:
            return
        self._other_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.upgrade = True
        except HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except HttpParserError:
            raise MalformedRequestError from None
        if self._other_bytes > self._max_head_bytes:
            raise LargeHeadError

    def release(self) -> None:
        """Let go of the parser, which refers to this object; what is fed is not read any more."""
        self._parser = None

    def on_message_begin(self) -> None:
        """See `httptools.HTTPProtocol`."""
        self._incoming = Incoming()
        self._other_bytes = 0  # what comes with its first byte is not counted until it has ended

    def on_url(self, url: bytes) -> None:
        """See `httptools.HTTPProtocol`; it may come in pieces."""
        self._incoming.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """See `httptools.HTTPProtocol`; trailers come here too, and are left."""
        incoming = self._incoming
        if incoming.headed:
            return
        lower = lower_name(name)
        if lower in VARYING:
            incoming.varying.append((lower, value.decode("latin-1")))
        else:
            incoming.headers.append((lower, value))

    def on_headers_complete(self) -> None:
        """See `httptools.HTTPProtocol`."""
        parser, incoming = self._parser, self._incoming
        if parser is None:
            return
        if len(incoming.url) > self._max_head_bytes or self._head_is_large(incoming):
            raise LargeHeadError
        self._other_bytes = 0
        incoming.method = parser.get_method()
        # a chunked answer is nothing for HTTP/1.0, and its keep-alive is a matter of luck
        incoming.keep_alive = parser.should_keep_alive() and parser.get_http_version() == "1.1"
        incoming.headed = True
        self._owner.headed(incoming)

    def on_body(self, body: bytes) -> None:
        """See `httptools.HTTPProtocol`."""
        self._other_bytes -= len(body) + _CHUNK_BYTES
        self._other_bytes = max(self._other_bytes, 0)
        incoming = self._incoming
        if not incoming.add(body) and not incoming.started:
            self._owner.too_long(incoming)

    def on_message_complete(self) -> None:
        """See `httptools.HTTPProtocol`."""
        self._incoming.complete = True
        self._owner.ended(self._incoming)

    def _head_is_large(self, incoming: Incoming) -> bool:
        headers = [len(name) + len(value) for name, value in incoming.headers]
        return sum(headers) > self._max_head_bytes

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

from tollgate.proxy.client_messages import VARYING, lower_name, read_head
from tollgate.proxy.handler import Arrival, Gateway
from tollgate.proxy.messages import Request
from tollgate.proxy.refusals import Refusal

# What the framing of one piece of a chunked body may take: its size, its line ends.
_CHUNK_BYTES: Final = 16


_LARGE: Final = Refusal(431, "headers_too_large", "The request's headers are too large.")
MALFORMED: Final = Refusal(400, "malformed_request", "The request is not valid HTTP/1.1.")


class UnreadableRequestError(Exception):
    """What was sent is no HTTP/1.1, or smuggles, or is beyond the bound.

    Args:
        refusal: Says which.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


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
        is_old: Whether it is HTTP/1.0, which knows neither chunks nor expectations.
        headed: Whether all of its head is here.
        complete: Whether all of it is here.
        started: Whether it is being answered, or was.
        answered: Whether all of the answer is written.
        gateway: Who answers it, once its turn has come.
        arrival: The same.
    """

    __slots__ = (
        "_body",
        "answered",
        "arrival",
        "complete",
        "gateway",
        "headed",
        "headers",
        "is_old",
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
        self._body: bytes | bytearray = b""
        self.size = 0
        self.limit = inf
        self.keep_alive = True
        self.is_old = self.headed = self.complete = self.started = self.answered = False
        self.gateway: Gateway | None = None
        self.arrival: Arrival | None = None

    def add(self, piece: bytes) -> bool:
        """Keep a piece of the body; False if it is too long, and then nothing is kept."""
        self.size += len(piece)
        if self.size > self.limit:
            self._body = b""
            return False
        if not self._body:
            self._body = piece
        elif isinstance(self._body, bytearray):
            self._body += piece
        else:
            self._body = bytearray(self._body) + piece
        return True

    def take_body(self) -> bytes:
        """The body."""
        body, self._body = self._body, b""
        return bytes(body)

    def want_no_body(self) -> None:
        """It is answered without; what comes of it is thrown away."""
        self.started = True
        self.limit = 0

    def request(self) -> Request:
        """What its head asks for.

        Raises:
            ValueError: The URL is none.
        """
        return read_head(self.method, self.url, tuple(self.headers), tuple(self.varying))

    def left(self) -> None:
        """It is not served to its end: its client is gone, or the server ends."""
        if self.gateway is not None and self.arrival is not None:
            self.gateway.left(self.arrival)

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits to be told that its body is wanted."""
        asked = [(name, value.lower()) for name, value in self.varying]
        return ("expect", "100-continue") in asked and not self.is_old


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

    Behind a request that wants another protocol nothing is read.
    """

    __slots__ = ("_incoming", "_is_over", "_max_head_bytes", "_other_bytes", "_owner", "_parser")

    def __init__(self, owner: Owner, max_head_bytes: int) -> None:
        self._owner = owner
        self._max_head_bytes = max_head_bytes
        self._other_bytes = 0  # of a request's bytes those that are no body
        self._incoming = Incoming()
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self._is_over = False

    @property
    def is_between(self) -> bool:
        """Whether a request has ended, and nothing of another one is here."""
        return self._incoming.complete

    def feed(self, data: bytes) -> None:
        """Parse what was received.

        Raises:
            UnreadableRequestError: It is no HTTP, or what is no body goes beyond the bound.
        """
        if self._parser is None or self._is_over:
            return
        self._other_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._is_over = True
        except HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except HttpParserError:
            raise UnreadableRequestError(MALFORMED) from None
        if self._other_bytes > self._max_head_bytes:
            raise UnreadableRequestError(_LARGE)

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
            raise UnreadableRequestError(_LARGE)
        self._other_bytes = 0
        incoming.method = parser.get_method()
        # the keep-alive of HTTP/1.0 is a matter of luck, and we speak no other protocol
        incoming.is_old = parser.get_http_version() != "1.1"
        goes_on = parser.should_keep_alive() and not parser.should_upgrade()
        incoming.keep_alive = goes_on and not incoming.is_old
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
        stable = sum([len(name) + len(value) for name, value in incoming.headers])
        varying = sum([len(name) + len(value) for name, value in incoming.varying])
        return stable + varying > self._max_head_bytes

"""Parses the answers of one connection, with httptools; does no I/O."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tollgate.proxy.messages import Headers

_MAX_HEAD_BYTES: Final = 64 * 1024
_MAX_HEADERS: Final = 256
# So many bytes without a whole head or any body: endless trailers, chunk extensions, 1xx answers.
_MAX_FRUITLESS_BYTES: Final = 2 * _MAX_HEAD_BYTES
_LINE_BYTES: Final = len(b": \r\n")
_CONTINUE: Final = 100
_SWITCHING: Final = 101
_OK: Final = 200
_USUAL: Final = frozenset({"keep-alive", "close"})
# The parser has gone by them already.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_BODILESS: Final = frozenset({204, 304})


class MalformedAnswerError(Exception):
    """An answer that cannot be read on, or that goes beyond a bound."""


class AnswerParser:
    """One answer after the other; `begin` each of them.

    Attributes:
        status: Once `headed`.
        headers: The same; names in lower case, in order, without trailers.
        fields: The same; of a repeated one the last.
        headed: Whether the answer's head is here; 1xx answers are skipped.
        complete: Whether all of the answer is here.
        reusable: Whether another answer may follow on the connection.
        waiting_bytes: How much of the body waits to be taken.
    """

    __slots__ = (
        "_bare",
        "_chunks",
        "_fields",
        "_fruitless_bytes",
        "_parser",
        "complete",
        "fields",
        "headed",
        "headers",
        "reusable",
        "status",
        "waiting_bytes",
    )

    def __init__(self) -> None:
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self.begin()

    def begin(self) -> None:
        """Expect an answer."""
        self.status = 0
        self.headers: Headers = ()
        self.fields: dict[str, str] = {}
        self._fields: list[tuple[bytes, bytes]] = []
        self.headed = self.complete = self.reusable = self._bare = False
        self.waiting_bytes = self._fruitless_bytes = 0
        self._chunks: list[bytes] = []

    def feed(self, data: bytes | memoryview) -> None:
        """Parse what was received; what follows a complete answer only spoils `reusable`.

        Raises:
            MalformedAnswerError: The answer cannot be read on.
        """
        self._fruitless_bytes += len(data)
        try:
            if self._parser is not None:
                self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.reusable = False
            if not self.complete:
                raise MalformedAnswerError from None
        if self._fruitless_bytes > _MAX_FRUITLESS_BYTES and not self.complete:
            raise MalformedAnswerError

    def take(self) -> bytes:
        """What is here of the body and was not taken yet; may be empty."""
        chunks = self._chunks
        if not chunks:
            return b""
        taken = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.waiting_bytes = 0
        return taken

    def end(self) -> None:
        """The connection has ended well, and with it an answer that states no length."""
        if self._bare:
            self.complete = True

    def release(self) -> None:
        """Let go of the parser, which refers to this object; `take` still gives what is here."""
        self._parser = None

    def on_message_begin(self) -> None:
        """See `httptools.HTTPProtocol`."""
        if self.complete:  # nobody asked for this one
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """See `httptools.HTTPProtocol`; trailers come here too, and are left."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """See `httptools.HTTPProtocol`."""
        if self.complete or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < _CONTINUE or status == _SWITCHING:
            raise MalformedAnswerError
        fields, self._fields = self._fields, []
        if status < _OK:
            return
        # the exact count takes time, and there were not more bytes than were received
        if len(fields) > _MAX_HEADERS or (
            self._fruitless_bytes > _MAX_HEAD_BYTES and _head_bytes(fields) > _MAX_HEAD_BYTES
        ):
            raise MalformedAnswerError
        self.headers = tuple(
            [(_lower_name(name), value.decode("latin-1")) for name, value in fields]
        )
        self.fields = dict(self.headers)
        if self.fields.get("connection", "close").lower() not in _USUAL:
            self.headers = _without_hop(self.headers)
            self.fields = dict(self.headers)
        self._bare = _is_bare(self.fields) and status not in _BODILESS
        self.status = status
        self.headed = True
        self._fruitless_bytes = 0

    def on_body(self, body: bytes) -> None:
        """See `httptools.HTTPProtocol`."""
        if not self.complete:
            self._chunks.append(body)
            self.waiting_bytes += len(body)
            self._fruitless_bytes = 0

    def on_message_complete(self) -> None:
        """See `httptools.HTTPProtocol`; a 1xx answer is not what was asked for."""
        if self.headed and not self.complete and self._parser is not None:
            self.complete = True
            self.reusable = self._parser.should_keep_alive()


def _head_bytes(fields: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + _LINE_BYTES for name, value in fields)


def _without_hop(headers: Headers) -> Headers:
    """Without those that `Connection` names as the connection's own (RFC 9110, 7.6.1)."""
    said = ",".join([value for name, value in headers if name == "connection"])
    named = {name.strip() for name in said.lower().split(",")} - _FRAMING
    return tuple([header for header in headers if header[0] not in named])


def _is_bare(headers: dict[str, str]) -> bool:
    """Whether the body has no length of its own.

    Raises:
        MalformedAnswerError: Its transfer encoding is not the one that everybody speaks.
    """
    encoding = headers.get("transfer-encoding")
    if encoding is None:
        return "content-length" not in headers
    if encoding.strip().lower() != "chunked":
        raise MalformedAnswerError
    return False


@lru_cache(maxsize=1024)
def _lower_name(name: bytes) -> str:
    return name.decode("latin-1").lower()

"""uvicorn's HTTP protocol with bounds: on a request's head, on its framing, and on slow readers."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any, ClassVar, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tollgate.local.corked_writes import CorkedTransport
from tollgate.proxy.refusals import Refusal

MAX_HEAD_BYTES: Final = 64 * 1024
HEAD_TIMEOUT_S: Final = 30.0
SEND_TIMEOUT_S: Final = 300.0

# How long bytes are thrown away after a refusal: to close at once would reset the connection, and
# take the answer from a client that still sends.
_LINGER_S: Final = 1.0
# What the framing of one piece of a chunked body may take: its size, its line ends.
_CHUNK_BYTES: Final = 16

_TOO_LARGE: Final = Refusal(431, "headers_too_large", "The request's headers are too large.")
_TOO_SLOW: Final = Refusal(408, "request_timeout", "The request's headers have not arrived.")
_MALFORMED: Final = Refusal(400, "malformed_request", "The request is not valid HTTP/1.1.")
_PHRASES: Final = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
}


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection that sends too much beside bodies, or too slowly, or does not read.

    Attributes:
        head_timeout_s: For the whole of a head to arrive.
        send_timeout_s: How long a client may leave unread what is sent to it.
    """

    head_timeout_s: ClassVar[float] = HEAD_TIMEOUT_S
    send_timeout_s: ClassVar[float] = SEND_TIMEOUT_S

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._other_bytes = 0  # of a request's bytes those that are no body: head and trailers
        self._in_head = True  # a connection begins with one
        self._refused = False
        self._deadline: TimerHandle | None = None
        self._unread: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:
        """Wait for the first request."""
        super().connection_made(cast("Transport", CorkedTransport(transport, self.loop)))
        self._deadline = self.loop.call_later(self.head_timeout_s, self._refuse, _TOO_SLOW)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and look how many of them are no body."""
        if self._refused:
            return
        self._other_bytes += len(data)
        super().data_received(data)
        self._other_bytes = max(self._other_bytes, 0)
        if self._other_bytes > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
        elif self._deadline is None and (self._in_head or self._is_answered):
            # Also for blank lines, and for the rest of a body that was refused.
            self._deadline = self.loop.call_later(self.head_timeout_s, self._refuse, _TOO_SLOW)

    def on_message_begin(self) -> None:
        """A head begins; what comes with its first byte is not counted until it has ended."""
        super().on_message_begin()
        self._other_bytes, self._in_head = 0, True

    def on_headers_complete(self) -> None:
        """A head has ended; one that came at once may be too long all the same."""
        if sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
        if self._refused:
            return
        self._stop_waiting()
        self._other_bytes, self._in_head = 0, False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count no body."""
        self._other_bytes -= len(body) + _CHUNK_BYTES
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has ended, unless it was refused."""
        if not self._refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the form of all other errors."""
        del msg
        self._refuse(_MALFORMED)

    def pause_writing(self) -> None:
        """The client does not read: nor do we, but not for ever."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.send_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        self._stop_watching()
        super().resume_writing()

    @property
    def _is_answered(self) -> bool:
        last: Any = self.cycle  # None before the first request, whatever its type says
        return last is None or last.response_complete

    @property
    def _is_coming_in(self) -> bool:
        """Whether the only request under way has a body that is not whole, and no answer yet."""
        only = not self.pipeline and not self._in_head
        return only and self.cycle.more_body and not self.cycle.response_started

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_watching(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _refuse(self, refusal: Refusal) -> None:
        """Answer the request that is coming in, unless another answer is under way, and close."""
        self._stop_waiting()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if not (self._in_head if self._is_answered else self._is_coming_in):
            self.transport.close()
            return
        self.transport.write(_raw(refusal))
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)
        if not self._is_answered:
            self.cycle.disconnected = True
            self.cycle.message_event.set()


def _raw(refusal: Refusal) -> bytes:
    answer = refusal.answer()
    body = answer.body if isinstance(answer.body, bytes) else b""
    head = f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in answer.headers
    )
    return f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body

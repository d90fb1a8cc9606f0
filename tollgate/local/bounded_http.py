"""uvicorn's HTTP protocol with a bound on the head of a request, in bytes and in time."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tollgate.proxy.refusals import Refusal

MAX_HEAD_BYTES: Final = 64 * 1024
HEAD_TIMEOUT_S: Final = 30.0

_TOO_LARGE: Final = Refusal(431, "headers_too_large", "The request's headers are too large.")
_TOO_SLOW: Final = Refusal(408, "request_timeout", "The request's headers have not arrived.")
_PHRASES: Final = {408: "Request Timeout", 431: "Request Header Fields Too Large"}


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request has a head that is too long, or takes too long to come."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._in_head = True  # a connection begins with one
        self._deadline: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_TIMEOUT_S, self._refuse, _TOO_SLOW)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and look how many of them are a head that has not ended."""
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_TIMEOUT_S, self._refuse, _TOO_SLOW)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head_bytes, self._in_head = 0, True

    def on_headers_complete(self) -> None:
        """A head has ended; one that came at once may be too long all the same."""
        self._in_head = False
        self._stop_waiting()
        if sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
            return
        super().on_headers_complete()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, refusal: Refusal) -> None:
        """Answer, unless another answer is under way, and close."""
        self._stop_waiting()
        self._in_head = False
        if self.transport.is_closing():
            return
        under_way: Any = self.cycle  # None before the first request, whatever its type says
        if under_way is None or under_way.response_complete:
            self.transport.write(_raw(refusal))
        self.transport.close()


def _raw(refusal: Refusal) -> bytes:
    answer = refusal.answer()
    body = answer.body if isinstance(answer.body, bytes) else b""
    head = f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in answer.headers
    )
    return f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body

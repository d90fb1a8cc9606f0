"""One connection to a backend, as an asyncio protocol; it carries one exchange at a time.

What it receives is kept until it is taken; past 64 KB it stops to receive. A long request body is
written as fast as the backend takes it, while the answer may come already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

from tollgate.proxy.upstream_parsing import AnswerParser, MalformedAnswerError
from tollgate.proxy.write_turn import WriteTurn

INCOMING_BYTES: Final = 64 * 1024
_MAX_WAITING_BYTES: Final = 64 * 1024
_JOINED_BYTES: Final = 64 * 1024  # a body up to here goes out in one piece with its head
_PIECE_BYTES: Final = 64 * 1024
_PIECES_A_TURN: Final = 16  # then other connections have theirs
_NOTHING: Final[memoryview[int]] = memoryview(b"")


class BackendConnection(asyncio.BufferedProtocol):
    """Belongs to the loop that it was opened on.

    Args:
        turn: Takes what is written, on the loop that this connection belongs to.
        loop: The event loop.
        incoming: Where bytes are received; all connections of one loop may share it, for they are
            parsed, and so copied, before the loop turns to another one.
        on_lost: Called once, when the connection is gone.

    Attributes:
        answer: What the backend answers.
        heard: Whether any byte of it came since the request was sent.
        broken: The name of the error that ended the connection; empty while it is good.
        idle_since_s: On the loop's clock, when the last exchange ended.
    """

    __slots__ = (
        "_active_s",
        "_incoming",
        "_loop",
        "_on_lost",
        "_receiving_paused",
        "_sending_paused",
        "_sent_s",
        "_transport",
        "_turn",
        "_turn_due",
        "_unsent",
        "_unwritten",
        "_waiter",
        "answer",
        "broken",
        "heard",
        "idle_since_s",
    )

    def __init__(
        self,
        turn: WriteTurn,
        loop: asyncio.AbstractEventLoop,
        incoming: memoryview,
        on_lost: Callable[[BackendConnection], None],
    ) -> None:
        self._turn = turn
        self._loop = loop
        self._unwritten = b""
        self._incoming = incoming
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sending_paused = self._receiving_paused = self._turn_due = False
        self._unsent: memoryview[int] = _NOTHING
        self._active_s = self._sent_s = self.idle_since_s = loop.time()
        self.answer = AnswerParser()
        self.answer.complete = True  # nothing was asked yet
        self.heard = False
        self.broken = ""

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent: the last exchange is over on both sides."""
        return (
            self.answer.reusable
            and not (self.broken or self._unsent or self._receiving_paused)
            and self._transport is not None
            and not self._transport.is_closing()
        )

    @property
    def sent_ago_s(self) -> float:
        """How long ago an exchange was begun."""
        return self._loop.time() - self._sent_s

    def rest(self) -> None:
        """The connection is idle from now on."""
        self.idle_since_s = self._loop.time()

    def send(self, head: bytes, body: bytes) -> None:
        """Begin an exchange."""
        self.answer.begin()
        self.heard = False
        self._active_s = self._sent_s = self._loop.time()
        if self.broken or self._transport is None:
            return
        if len(body) <= _JOINED_BYTES:
            self._unwritten = head + body if body else head
            self._turn.add(self)
            return
        self._transport.write(head)
        self._unsent = memoryview(body)
        self._send_on()

    def flush(self) -> None:
        """See `Writer`."""
        unwritten, self._unwritten = self._unwritten, b""
        if unwritten and self._transport is not None and not self.broken:
            self._transport.write(unwritten)

    async def changed(self) -> None:
        """Wait for more of the answer, or for the end; a cancelled wait loses nothing."""
        self._active_s = self._loop.time()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def take(self) -> bytes:
        """What is here of the body and was not taken yet; may be empty."""
        taken = self.answer.take()
        if self._receiving_paused and self._transport is not None and not self.broken:
            self._receiving_paused = False
            self._transport.resume_reading()
        return taken

    def check_silence(self, now_s: float, timeout_s: float) -> None:
        """Give the connection up if somebody has waited in vain for longer."""
        if self._waiter is not None and now_s - self._active_s > timeout_s:
            self._break(TimeoutError)

    def abort(self) -> None:
        """Close at once; who waits is told."""
        self._break(ConnectionAbortedError)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        self._transport = None
        if exc is None:
            self._end()
        else:
            self._break(type(exc))
        self.answer.release()
        self._on_lost(self)

    def pause_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        self._sending_paused = True

    def resume_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        self._sending_paused = False
        self._send_on()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  the protocol's signature
        """See `asyncio.BufferedProtocol`; TLS writes into slices of it, so it must be a view."""
        return self._incoming

    def buffer_updated(self, nbytes: int) -> None:
        """See `asyncio.BufferedProtocol`."""
        answer = self.answer
        if self.broken:
            return
        if answer.complete:  # nobody asked for anything
            self._break(MalformedAnswerError)
            return
        self.heard = True
        self._active_s = self._loop.time()
        try:
            answer.feed(self._incoming[:nbytes])
        except MalformedAnswerError as error:
            self._break(type(error))
            return
        if answer.waiting_bytes > _MAX_WAITING_BYTES:
            self._stop_receiving()
        if answer.headed:
            self._wake()

    def eof_received(self) -> None:
        """See `asyncio.BaseProtocol`."""
        self._end()

    def _end(self) -> None:
        if not self.broken:
            self.answer.end()
        self._break(EOFError)

    def _send_on(self) -> None:
        """Write until the transport says to wait; it calls again."""
        self._active_s = self._loop.time()
        for _ in range(_PIECES_A_TURN):
            if self._sending_paused or self._transport is None or not self._unsent:
                return
            piece, self._unsent = self._unsent[:_PIECE_BYTES], self._unsent[_PIECE_BYTES:]
            self._transport.write(piece)
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._turn_due = False
        self._send_on()

    def _stop_receiving(self) -> None:
        if not (self._receiving_paused or self.answer.complete or self._transport is None):
            self._receiving_paused = True
            self._transport.pause_reading()

    def _break(self, error: type[Exception]) -> None:
        if not self.broken:
            self.broken = error.__name__
            self._unsent = _NOTHING
            if self._transport is not None:
                self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

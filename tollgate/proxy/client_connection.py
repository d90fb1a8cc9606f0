"""One connection of a client, as an asyncio protocol: HTTP/1.1, one request after the other.

A server of its own, for on the request path a general one costs as much as much of the rest. A
request takes one read, one task and one write.

What a client sends ahead waits in the connection, which then stops to read. A client that does not
read is waited for, within a bound, and so is the backend whose stream it gets.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final

from tollgate.proxy.client_bounds import Page, Server
from tollgate.proxy.client_messages import (
    CONTINUE,
    LAST_CHUNK,
    answer_head,
    chunk,
    read_head,
    whole_answer,
)
from tollgate.proxy.client_parsing import (
    Incoming,
    LargeHeadError,
    MalformedRequestError,
    RequestParser,
)
from tollgate.proxy.client_transport import ClientTransport
from tollgate.proxy.handler import log_bug
from tollgate.proxy.messages import Answer, ByteStream
from tollgate.proxy.refusals import Refusal, slow_body

_TOO_LARGE: Final = Refusal(431, "headers_too_large", "The request's headers are too large.")
_TOO_SLOW: Final = Refusal(408, "request_timeout", "The request's headers have not arrived.")
_MALFORMED: Final = Refusal(400, "malformed_request", "The request is not valid HTTP/1.1.")


class ClientConnection(ClientTransport):
    """Serves one client.

    Args:
        server: Has the gateway, and looks after the connection.

    Attributes:
        task: Answers the request; None before the first.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._parser = RequestParser(self, server.bounds.max_head_bytes)
        self._current: Incoming | None = None  # the request that is answered
        self._ahead: deque[Incoming] = deque()  # those behind it
        self._ending = self._streams = False
        self._work: Coroutine[Any, Any, None] | None = None
        self._has_work: asyncio.Future[None] | None = None
        self.task: asyncio.Task[None] | None = None

    def end(self) -> None:
        """Close as soon as nothing is under way."""
        self._ending = True
        if self._current is None:
            self._close()

    def give_up(self) -> None:
        """Close at once, whatever is under way; its usage is counted as far as it was seen."""
        if self.task is not None:
            self.task.cancel()
        self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        super().connection_made(transport)
        self.server.opened(self)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left: what was sent to a backend is counted all the same."""
        super().connection_lost(exc)
        self._parser.release()
        self.server.closed(self)
        current = self._current
        is_idle = self._has_work is not None and not self._has_work.done()
        if self.task is not None and (self._streams or is_idle):
            self.task.cancel()
        if current and current.gateway and current.arrival and not current.started:
            current.started = True
            current.gateway.left(current.arrival)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self.deaf:
            return
        try:
            self._parser.feed(data)
        except LargeHeadError:
            self._refuse(_TOO_LARGE)
        except MalformedRequestError:
            self._refuse(_MALFORMED)
        current = self._current
        if current is None:
            if not self.waits:
                self._wait_for_head()
        elif not (current.complete or self.waits):
            self._wait_for_body(current)
        if self._ahead:
            self.stop_reading()

    def headed(self, incoming: Incoming) -> None:
        """Its turn has come, unless another one's answer is not whole."""
        if self._current is None:
            self._begin(incoming)
        else:
            self._ahead.append(incoming)

    def too_long(self, incoming: Incoming) -> None:
        """It is refused before all of its body is here; the rest is thrown away."""
        if incoming.arrival is not None:
            self._start(incoming, None)

    def ended(self, incoming: Incoming) -> None:
        """All of it is here."""
        if incoming is self._current:
            self._go_on(incoming)

    def _begin(self, incoming: Incoming) -> None:
        self._current = incoming
        self.stop_waiting()
        server = self.server
        try:
            request = read_head(
                incoming.method, incoming.url, tuple(incoming.headers), tuple(incoming.varying)
            )
        except ValueError:
            self._refuse(_MALFORMED)
            return
        if (page := server.page(request.path)) is not None:
            incoming.started = True
            incoming.limit = 0
            self._run(self._show(incoming, page))
            return
        gateway = incoming.gateway = server.gateway
        arrival = gateway.arrive(request)
        if isinstance(arrival, Answer):
            incoming.started = True
            incoming.limit = 0
            incoming.keep_alive &= not incoming.expects_continue
            self._send_whole(incoming, arrival)
            return
        incoming.arrival = arrival
        incoming.limit = gateway.limits.max_request_bytes
        if incoming.size > incoming.limit:
            self._start(incoming, None)
        elif not incoming.complete and incoming.expects_continue:
            self.writer.write(CONTINUE)

    def _begin_next(self) -> None:
        if self.transport is None or self._current is not None or not self._ahead:
            return
        incoming = self._ahead.popleft()
        self._begin(incoming)
        if not incoming.complete:
            self._wait_for_body(incoming)
        elif not incoming.answered:
            self._go_on(incoming)
        if not self._ahead:
            self.read_on()

    def _go_on(self, incoming: Incoming) -> None:
        """The body is whole."""
        if incoming.answered:
            self._next()
        elif incoming.arrival is not None and not incoming.started:
            self._start(incoming, incoming.take_body())

    def _start(self, incoming: Incoming, body: bytes | None) -> None:
        incoming.started = True
        self.stop_waiting()
        self._run(self._serve(incoming, body))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work
        if self.task is None:
            self.task = self.server.loop.create_task(self._serve_all())
        elif self._has_work is not None:
            self._has_work.set_result(None)

    async def _serve_all(self) -> None:
        """One request after the other, in one task, for a task costs as much as a system call."""
        while self._work is not None:
            work, self._work = self._work, None
            await work
            if self._work is None and self.transport is not None:
                self._has_work = self.server.loop.create_future()
                await self._has_work
                self._has_work = None

    async def _show(self, incoming: Incoming, page: Page) -> None:
        try:
            self._send_whole(incoming, await page())
        except Exception as bug:  # noqa: BLE001  the client sees that there is no answer
            log_bug("for a page", bug)
            self.abort()

    async def _serve(self, incoming: Incoming, body: bytes | None) -> None:
        gateway, arrival = incoming.gateway, incoming.arrival
        if gateway is None or arrival is None:
            return
        answer = await gateway.handle(arrival, body)
        try:
            if isinstance(answer.body, bytes):
                self._send_whole(incoming, answer)
            else:
                await self._send_stream(incoming, answer, answer.body, gateway.limits.max_stream_s)
        except ConnectionAbortedError:  # what it gets cannot go on, and has no other way to say so
            self.abort()
        except Exception as bug:  # noqa: BLE001  the client sees that the answer is not whole
            log_bug(arrival.call.request_id, bug)
            self.abort()

    def _next(self) -> None:
        """The answer is written, and the request was read to its end."""
        self._current = None
        if self._ahead:
            self.stop_waiting()
            self.server.loop.call_soon(self._begin_next)
        else:
            self.rest(self.server.bounds.idle_timeout_s, self._close)
            self.read_on()

    def _send_whole(self, incoming: Incoming, answer: Answer) -> None:
        lines = self._own_lines(incoming)
        self.writer.write(whole_answer(answer, incoming.method, *lines))
        self._answered(incoming)

    async def _send_stream(
        self, incoming: Incoming, answer: Answer, frames: ByteStream, max_s: float
    ) -> None:
        """Frame by frame; a client that leaves, or takes too long, ends this but not the count."""
        writer = self.writer
        self._streams = True
        too_long = self.server.loop.call_later(max_s, self.abort)
        try:
            if self.transport is None:
                return
            lines = self._own_lines(incoming)
            writer.write(answer_head(answer, "transfer-encoding: chunked", *lines))
            async for frame in frames:
                if frame:
                    writer.write(chunk(frame))
                await writer.read()
            writer.write(LAST_CHUNK)
        finally:
            self._streams = False
            too_long.cancel()
            frames.abandon()
        self._answered(incoming)

    def _own_lines(self, incoming: Incoming) -> tuple[str, ...]:
        if self._ending or not incoming.keep_alive or self._parser.upgrade:
            incoming.keep_alive = False
            return (self.server.date, "connection: close")
        return (self.server.date,)

    def _answered(self, incoming: Incoming) -> None:
        incoming.answered = True
        if not incoming.keep_alive:
            self._close()
        elif incoming.complete:
            self._next()
        else:  # the rest of the body is thrown away
            self.wait(self.server.bounds.head_timeout_s, self._close)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer the request that comes in, unless another answer is under way, and close."""
        current = self._current
        if self.transport is None or self.deaf:
            return
        if current is None or (current.arrival is None and not current.started):
            answer = refusal.answer()
        elif current.gateway and current.arrival and not (current.started or current.complete):
            current.started = True
            answer = current.gateway.refuse(current.arrival, refusal)
        else:
            self._close()
            return
        refused = self._current = current or Incoming()
        refused.keep_alive = False
        self._send_whole(refused, answer)

    def _wait_for_head(self) -> None:
        self.wait(self.server.bounds.head_timeout_s, lambda: self._refuse(_TOO_SLOW))

    def _wait_for_body(self, current: Incoming) -> None:
        if current.gateway is None or current.started:
            return
        timeout_s = current.gateway.limits.body_timeout_s
        self.wait(timeout_s, lambda: self._refuse(slow_body(timeout_s)))

    def _close(self) -> None:
        current = self._current
        self.close(sends_still=current is not None and not current.complete)

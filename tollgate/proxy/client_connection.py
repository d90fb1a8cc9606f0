"""One connection of a client, as an asyncio protocol: HTTP/1.1, one request after the other.

A server of its own, for a general one takes a quarter of a request's time. A request takes one read
and one write, and all requests of a connection one task.

What a client sends ahead waits in the connection, which then stops to read. A client that does not
read is waited for, within a bound: it is served no further, and the backend whose stream it gets
waits too.
"""

from __future__ import annotations

import asyncio
from collections import deque

from tollgate.proxy.client_bounds import Page, Server
from tollgate.proxy.client_messages import (
    CHUNKS,
    CONTINUE,
    UNTIL_CLOSED,
    answer_head,
    whole_answer,
)
from tollgate.proxy.client_parsing import (
    MALFORMED,
    Incoming,
    RequestParser,
    UnreadableRequestError,
)
from tollgate.proxy.client_task import ClientTask
from tollgate.proxy.client_transport import ClientTransport
from tollgate.proxy.handler import log_bug
from tollgate.proxy.messages import Answer, ByteStream
from tollgate.proxy.refusals import SLOW_HEAD, Refusal, slow_body


class ClientConnection(ClientTransport):
    """Serves one client.

    Args:
        server: Has the gateway, and looks after the connection.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._parser = RequestParser(self, server.bounds.max_head_bytes)
        self._current: Incoming | None = None  # the request that is answered
        self._ahead: deque[Incoming] = deque()  # those behind it
        self._ending = self._streams = False
        self._work = ClientTask(server.loop)

    @property
    def task(self) -> asyncio.Task[None] | None:
        """Answers the requests; None before the first."""
        return self._work.task

    def end(self) -> None:
        """Close as soon as nothing is under way."""
        self._ending = True
        if self._current is None:
            self._close()

    def give_up(self) -> None:
        """Close at once, whatever is under way; its usage is counted as far as it was seen."""
        current = self._current
        if self._work.cut_short() and current:
            current.left()
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
        current = self._current
        self._work.end()
        if self._streams:
            self._work.cut_short()
        if current and not current.started:
            current.started = True
            current.left()
        self.server.closed(self)

    def resume_writing(self) -> None:
        """The client has read: what it asked for ahead may be served."""
        super().resume_writing()
        if self._ahead:
            self._begin_next()
        else:
            self.read_on()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self.deaf:
            return
        try:
            self._parser.feed(data)
        except UnreadableRequestError as error:
            self._refuse(error.refusal)
        current = self._current
        if current is None:
            if not (self.waits or self._parser.is_between):
                self._wait_for_head()
        elif not (current.complete or self.waits):
            self._wait_for_body(current)
        if self._ahead:
            self.stop_reading()

    def headed(self, incoming: Incoming) -> None:
        """Its turn has come, unless another one's answer is not whole."""
        if self.deaf:  # the last answer is written
            return
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
        if incoming is self._current and not self.deaf:
            self._go_on(incoming)

    def _begin(self, incoming: Incoming) -> None:
        self._current = incoming
        self.stop_waiting()
        try:
            request = incoming.request()
        except ValueError:
            self._refuse(MALFORMED)
            return
        if (page := self.server.page(request.path)) is not None:
            incoming.want_no_body()
            self._work.run(self._show(incoming, page))
            return
        gateway = incoming.gateway = self.server.gateway
        arrival = gateway.arrive(request)
        if isinstance(arrival, Answer):
            incoming.want_no_body()
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
        is_free = self.transport is not None and self._current is None
        if not (is_free and self._ahead) or self.writer.is_unread:
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
        self._work.run(self._serve(incoming, body))

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
        try:
            answer = await gateway.handle(arrival, body)
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
        if self._ending:
            self._close()
        elif self._ahead:
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
            form = UNTIL_CLOSED if incoming.is_old else CHUNKS
            writer.write(answer_head(answer, *form.lines, *lines))
            async for frame in frames:
                if frame:
                    writer.write(form.piece(frame))
                await writer.read()
            writer.write(form.end)
        finally:
            self._streams = False
            too_long.cancel()
            frames.abandon()
        self._answered(incoming)

    def _own_lines(self, incoming: Incoming) -> tuple[str, ...]:
        if self._ending or not incoming.keep_alive:
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
        """Answer the request that comes in and close; an answer that is under way is the last."""
        current = self._current
        if self.transport is None or self.deaf:
            return
        if current is None or (current.arrival is None and not current.started):
            answer = refusal.answer()
        elif current.gateway and current.arrival and not (current.started or current.complete):
            current.started = True
            answer = current.gateway.refuse(current.arrival, refusal)
        else:
            self._give_the_last(current)
            return
        refused = self._current = current or Incoming()
        refused.keep_alive = False
        self._send_whole(refused, answer)

    def _give_the_last(self, current: Incoming) -> None:
        current.keep_alive = False
        self.deaf = True
        self._ahead.clear()
        if current.answered:
            self._close()

    def _wait_for_head(self) -> None:
        self.wait(self.server.bounds.head_timeout_s, lambda: self._refuse(SLOW_HEAD))

    def _wait_for_body(self, current: Incoming) -> None:
        if current.gateway is None or current.started:
            return
        timeout_s = current.gateway.limits.body_timeout_s
        self.wait(timeout_s, lambda: self._refuse(slow_body(timeout_s)))

    def _close(self) -> None:
        current = self._current
        self.close(sends_still=current is not None and not current.complete)

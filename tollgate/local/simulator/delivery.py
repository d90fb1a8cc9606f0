"""Writes replies to connections, late, in pieces or cut short where faults say so."""

import asyncio
import socket
from struct import pack
from typing import Literal

from aiohttp import web

from tollgate.local.simulator.exchanges import CutReply, Exchange, PlainReply, Reply, StreamReply
from tollgate.local.simulator.faults import (
    BreakBody,
    BreakStream,
    SlowFirstByte,
    SlowFrames,
    SplitBytes,
)
from tollgate.local.simulator.frames import Frame, Splitter
from tollgate.local.simulator.request_log import Outcome

_LINGER_ZERO = pack("ii", 1, 0)


async def deliver(
    request: web.Request, reply: Reply, exchange: Exchange
) -> tuple[web.StreamResponse, Outcome]:
    """Sends a reply.

    Args:
        request: The request, which knows the connection.
        reply: What to send.
        exchange: The call: its headers, faults and log entry.

    Returns:
        What the web framework needs back, and whether the reply went out whole.

    Raises:
        ConnectionError: The client left.
    """
    slow = exchange.applied.first(SlowFirstByte)
    generation_s = 0.0 if isinstance(reply, StreamReply) else exchange.generation_s
    await _pause(exchange.first_byte_s + generation_s + (slow.delay_s if slow else 0.0))
    match reply:
        case CutReply():
            _cut(request, reply.how)
            return web.Response(), "broken"
        case PlainReply():
            return await _deliver_plain(request, reply, exchange)
        case StreamReply():
            return await _Stream(request, exchange).deliver(reply)


async def _deliver_plain(
    request: web.Request, reply: PlainReply, exchange: Exchange
) -> tuple[web.StreamResponse, Outcome]:
    headers = {
        **exchange.reply_headers,
        **reply.headers,
        "content-type": reply.content_type,
        "content-length": str(len(reply.body)),
    }
    response = web.StreamResponse(status=reply.status, headers=headers)
    exchange.entry.status = reply.status
    await response.prepare(request)
    if exchange.applied.first(BreakBody):
        await response.write(reply.body[: len(reply.body) // 2])
        _cut(request, "close")
        return response, "broken"
    await response.write(reply.body)
    await response.write_eof()
    return response, "answered"


class _Stream:
    """One stream on its way out."""

    def __init__(self, request: web.Request, exchange: Exchange) -> None:
        applied = exchange.applied
        self._request = request
        self._entry = exchange.entry
        self._response = web.StreamResponse(
            headers={
                **exchange.reply_headers,
                "content-type": "text/event-stream; charset=utf-8",
            }
        )
        self._token_latency_s = exchange.token_latency_s
        self._break = applied.first(BreakStream)
        slow = applied.first(SlowFrames)
        self._between_frames_s = exchange.between_frames_s + (slow.delay_s if slow else 0.0)
        split = applied.first(SplitBytes)
        self._splitter = Splitter(split.seed, split.largest_bytes) if split else None

    async def deliver(self, reply: StreamReply) -> tuple[web.StreamResponse, Outcome]:
        pieces = 0
        self._entry.status = self._response.status
        try:
            await self._response.prepare(self._request)
            for number, frame in enumerate(reply.frames):
                if self._break is not None and number == self._break.after_frames:
                    return await self._break_off(self._break.how)
                tokens_s = (frame.pieces - pieces) * self._token_latency_s
                pieces = frame.pieces
                await self._write(frame, tokens_s + (self._between_frames_s if number else 0.0))
            await self._flush()
            await self._response.write_eof()
        finally:
            self._entry.usage = reply.usage_until(pieces)
        return self._response, "answered"

    async def _write(self, frame: Frame, after_s: float) -> None:
        """Writes one frame; gives way before each, so that streams share the loop."""
        await asyncio.sleep(after_s)
        if self._splitter is None:
            await self._response.write(frame.data)
        else:
            await self._write_all(self._splitter.pieces(frame.data))

    async def _flush(self) -> None:
        if self._splitter is not None:
            await self._write_all(self._splitter.rest())

    async def _write_all(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            await self._response.write(piece)
            await asyncio.sleep(0)

    async def _break_off(
        self, how: Literal["close", "reset"]
    ) -> tuple[web.StreamResponse, Outcome]:
        await self._flush()
        _cut(self._request, how)
        return self._response, "broken"


async def _pause(delay_s: float) -> None:
    if delay_s > 0:
        await asyncio.sleep(delay_s)


def _cut(request: web.Request, how: Literal["close", "reset"]) -> None:
    """Ends the connection at once: with FIN, or with RST (a linger time of 0)."""
    transport = request.transport
    if transport is None:
        return
    if how == "reset":
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()
    else:
        transport.close()

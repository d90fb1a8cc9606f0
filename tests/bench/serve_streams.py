"""A program: answers chat completions with streams, in the pace that the request asks for.

`pace_ms=20` in a message means a frame each 20 ms; without it, as fast as it can. Argument: port.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Final, cast

import httptools
import uvloop
from bench.stream_frames import END, HEAD, chunks

_PACE: Final = re.compile(rb"pace_ms=([0-9]{1,5})")
_CHUNKS: Final = chunks()
_LATER: Final = [*_CHUNKS[1:-1], _CHUNKS[-1] + END]


class _Exchange(asyncio.Protocol):
    """One connection; requests on it follow each other."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._loop = asyncio.get_running_loop()
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        pace = _PACE.search(self._body)
        self._body = b""
        self._transport.write(HEAD + _CHUNKS[0])
        if pace is None:
            for chunk in _LATER:
                self._transport.write(chunk)
        else:
            self._send_later(0, self._loop.time(), int(pace[1]) / 1_000)

    def _send_later(self, place: int, started_s: float, pace_s: float) -> None:
        """Send frame after frame, each at its time; a late one does not delay the next."""
        if place:
            if self._transport.is_closing():
                return
            self._transport.write(_LATER[place - 1])
        if place < len(_LATER):
            due_s = started_s + (place + 1) * pace_s
            self._loop.call_at(due_s, self._send_later, place + 1, started_s, pace_s)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Exchange, "127.0.0.1", port, backlog=4_096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))

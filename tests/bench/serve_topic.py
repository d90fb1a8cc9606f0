"""A program: an Event Grid topic that takes every event and counts. Argument: port.

`GET` answers what it has counted.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final, cast

import httptools
import msgspec
import uvloop


class Counted(msgspec.Struct, frozen=True):
    """What a topic was sent.

    Args:
        events: How many events, repeated ones included.
        ids: How many different ones.
        measured: How many different ones say 200 and hold tokens that the provider counted.
    """

    events: int
    ids: int
    measured: int


class _Data(msgspec.Struct):
    status: int
    provenance: str


class _Event(msgspec.Struct):
    id: str
    data: _Data


_DECODER: Final = msgspec.json.Decoder(list[_Event])


class _Count:
    def __init__(self) -> None:
        self._events = self._measured = 0
        self._ids: set[str] = set()

    def add(self, batch: bytes) -> None:
        for event in _DECODER.decode(batch):
            self._events += 1
            if event.id not in self._ids:
                self._ids.add(event.id)
                self._measured += (event.data.status, event.data.provenance) == (200, "measured")

    def shown(self) -> bytes:
        return msgspec.json.encode(Counted(self._events, len(self._ids), self._measured))


class _Exchange(asyncio.Protocol):
    """One connection; requests on it follow each other."""

    def __init__(self, count: _Count) -> None:
        self._count = count
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        answer = b""
        if self._parser.get_method() == b"GET":
            answer = self._count.shown()
        else:
            self._count.add(b"".join(self._body))
        self._body.clear()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer)
        )


async def _serve(port: int) -> None:
    count = _Count()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Exchange(count), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))

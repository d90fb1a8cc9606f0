"""A gateway on a socket before backends that are no more than their answers, and one client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from gateways import gateway
from proxying import KEY, FakeAnswer, FakeUpstream, RecordingSink, chat
from serving import Serving

from tollgate.proxy.client_bounds import ConnectionBounds
from tollgate.proxy.client_server import ClientServer
from tollgate.proxy.handler import EdgeLimits
from tollgate.proxy.relay import DrainBounds
from tollgate.usage.event import UsageData

PATH: Final = "/v1/chat/completions?username=Zo%C3%AB"
BODY: Final = chat(model="gpt-4o-mini")
STREAMED: Final = chat(model="gpt-4o-mini", stream=True)


class Edge:
    """A gateway on a socket, and one client of it."""

    def __init__(self, answers: tuple[FakeAnswer, ...], limits: EdgeLimits) -> None:
        self.sink, self.upstream = RecordingSink(), FakeUpstream(*answers)
        self.gateway = gateway(
            self.upstream,
            self.sink,
            drain=DrainBounds(timeout_s=0.05, tokens=1000),
            limits=limits,
        )
        self.clients = ClientServer(
            Serving(self.gateway), asyncio.get_running_loop(), ConnectionBounds(idle_timeout_s=0.4)
        )

    async def open(self, port: int) -> None:
        """Connect."""
        self.port = port
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)

    def send(self, body: bytes, *headers: str, path: str = PATH, method: str = "POST") -> None:
        """Send a whole request."""
        lines = [f"{method} {path} HTTP/1.1", "host: x", f"API-Key: {KEY}", *headers]
        head = "".join(f"{line}\r\n" for line in lines) + f"content-length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode("latin-1") + body)

    async def head(self) -> bytes:
        """The head of the next answer."""
        async with asyncio.timeout(5):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """All that is said until the end."""
        async with asyncio.timeout(5):
            return await self.reader.read()

    async def counted(self) -> UsageData:
        """What the one event says."""
        async with asyncio.timeout(5):
            while not self.sink.events:  # noqa: ASYNC110  it has no event to wait for
                await asyncio.sleep(0.005)
        await self.gateway.background.finish()
        return self.sink.only.data


@asynccontextmanager
async def edge(*answers: FakeAnswer, **limits: Any) -> AsyncGenerator[Edge]:
    """The backends give these answers."""
    here = Edge(answers, EdgeLimits(**{"max_request_bytes": 10_000, **limits}))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(here.clients.connect, "127.0.0.1", 0)
    await here.open(server.sockets[0].getsockname()[1])
    try:
        yield here
    finally:
        here.writer.transport.abort()
        server.close()
        await here.clients.end(2)
        await here.gateway.background.finish()

"""Raw clients of the gateway's own server, before a gateway that answers with what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from serving import listening_site

from tollgate.proxy.client_bounds import ConnectionBounds, Page
from tollgate.proxy.handler import EdgeLimits, Gateway
from tollgate.proxy.messages import Answer, Request
from tollgate.proxy.refusals import Refusal

HASTY: Final = ConnectionBounds(head_timeout_s=0.2, send_timeout_s=0.2)
DEFAULT: Final = ConnectionBounds()


class App:
    """A gateway that answers with the path and the length of the body; its own site."""

    limits = EdgeLimits(max_request_bytes=1_000_000, body_timeout_s=9)

    def __init__(self) -> None:
        self.served: list[str] = []
        self.left_by: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def gateway(self) -> Gateway:
        return cast("Gateway", self)

    def page(self, path: str) -> Page | None:
        async def page() -> Answer:
            return Answer(status=200, headers=(), body=b"a page")

        return page if path == "/page" else None

    def arrive(self, request: Request) -> Any:
        if request.path == "/early":
            return self._answer(request.path, b"/early 0;")
        return request

    def left(self, arrival: Request) -> None:
        self.left_by.append(arrival.path)

    def refuse(self, arrival: Request, refusal: Refusal) -> Answer:
        del arrival
        return refusal.answer()

    async def handle(self, arrival: Request, body: bytes | None) -> Answer:
        await self.gate.wait()
        if body is None:
            return Refusal(413, "too_large", "Too large.").answer()
        much = b"." * 50_000_000 if arrival.path == "/much" else None
        return self._answer(arrival.path, much or f"{arrival.path} {len(body)};".encode())

    def _answer(self, path: str, body: bytes) -> Answer:
        self.served.append(path)
        return Answer(status=204 if path == "/nothing" else 200, headers=(), body=body)


class Client:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *parts: bytes) -> None:
        """Send bytes."""
        self.writer.write(b"".join(parts))

    async def rest(self) -> bytes:
        """All that is said until the end."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def said(self, text: bytes) -> None:
        """What is said until then."""
        async with asyncio.timeout(5):
            await self.reader.readuntil(text)


@asynccontextmanager
async def connected(app: App, bounds: ConnectionBounds = DEFAULT) -> AsyncGenerator[Client]:
    """The one client of `app`."""
    async with listening_site(app, bounds) as port, connected_to(port) as client:
        yield client


@asynccontextmanager
async def connected_to(port: int) -> AsyncGenerator[Client]:
    """One of its clients."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()

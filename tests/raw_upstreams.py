"""A raw HTTP server for tests that answers with scripted bytes, and the client in front of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.upstream_http import HttpAnswer, HttpUpstream

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
PAUSE = b"[pause]"
LENGTH_5 = b"content-length: 5\r\n\r\n"


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """The port where `serve` serves; at the end, waits until all of its clients have left."""
    served: set[asyncio.StreamWriter] = set()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        served.discard(writer)

    async with await asyncio.start_server(
        serve_one, "127.0.0.1", 0, ssl=tls, backlog=1000
    ) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            await until(lambda: not served)


class RawServer:
    """Answers each request with given bytes, and keeps the requests.

    Args:
        answer: The bytes; at each `PAUSE` it waits a moment.
        stays: Whether the connection stays open after an answer.
        tls: For https.
    """

    def __init__(
        self, answer: bytes, *, stays: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self._answer = answer
        self._tls = tls
        self._stays = stays
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.url = ""

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[RawServer]:
        """Serve while the block runs."""
        async with serving(self._serve, self._tls) as port:
            self.url = f"https://localhost:{port}" if self._tls else f"http://127.0.0.1:{port}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [
                    line for line in head.lower().split(b"\r\n") if b"content-length" in line
                ]
                length = int(lengths[0].partition(b":")[2]) if lengths else 0
                self.requests.append(head + await reader.readexactly(length))
                for part in self._answer.split(PAUSE):
                    writer.write(part)
                    await asyncio.sleep(0.01)
                if not self._stays:
                    break
        finally:
            self.open -= 1


@asynccontextmanager
async def asked(
    answer: bytes,
    *,
    stays: bool = False,
    path: str = "/",
    body: bytes = b"{}",
    timeout_s: float = 60.0,
) -> AsyncGenerator[tuple[HttpAnswer, RawServer]]:
    """The answer to one request, and who gave it."""
    async with RawServer(answer, stays=stays).listening() as server, upstream(timeout_s) as sender:
        made = await sender.send(UpstreamRequest(server.url + path, {"x-a": "caf\xe9"}, body))
        try:
            yield made, server
        finally:
            made.close()


@asynccontextmanager
async def upstream(
    timeout_s: float = 60.0, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[HttpUpstream]:
    """A client; both of its timeouts are `timeout_s`."""
    sender = HttpUpstream(connect_timeout_s=timeout_s, silence_timeout_s=timeout_s, tls=tls)
    try:
        yield sender
    finally:
        await sender.close()


async def until(happened: Callable[[], bool]) -> None:
    """Wait for what other tasks bring about; the test's own time is the bound."""
    async with asyncio.timeout(5.0):
        while not happened():  # noqa: ASYNC110  what happens is not the test's own doing
            await asyncio.sleep(0.005)

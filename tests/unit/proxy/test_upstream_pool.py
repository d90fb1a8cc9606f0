from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from raw_upstreams import LENGTH_5, OK, RawServer, until

from tollgate.proxy.upstream_connection import BackendConnection
from tollgate.proxy.upstream_head import Origin
from tollgate.proxy.upstream_pool import ConnectionPool

ANSWER = OK + LENGTH_5 + b"hello"


class Pooled:
    """A pool in front of a server."""

    def __init__(self, pool: ConnectionPool, server: RawServer) -> None:
        self.pool = pool
        self.server = server
        port = urlsplit(server.url).port or 0
        self.origin = Origin("127.0.0.1", port, tls=False, authority="h")

    async def used(self, count: int = 1) -> list[BackendConnection]:
        """So many open connections that have each had an answer."""
        connections = [await self.pool.open(self.origin) for _ in range(count)]
        for connection in connections:
            connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
            while not connection.answer.complete:
                await connection.changed()
            assert connection.take() == b"hello"
        return connections

    def give_back(self, *connections: BackendConnection) -> None:
        for connection in connections:
            self.pool.give_back(self.origin, connection)


@asynccontextmanager
async def pooled(
    answer: bytes = ANSWER, *, idle_s: float = 60.0, max_idle: int = 100, silence_s: float = 60.0
) -> AsyncGenerator[Pooled]:
    pool = ConnectionPool(silence_s, idle_s=idle_s, max_idle=max_idle)
    async with RawServer(answer, stays=True).listening() as server:
        try:
            yield Pooled(pool, server)
        finally:
            await pool.close()
            await until(lambda: server.open == 0)


async def test_the_connection_that_was_used_last_is_taken_first() -> None:
    async with pooled() as here:
        first, second = await here.used(2)
        here.give_back(first, second)
        assert here.pool.take(here.origin) is second
        assert here.pool.take(here.origin) is first
        assert here.pool.take(here.origin) is None


async def test_each_origin_has_its_own() -> None:
    async with pooled() as here:
        here.give_back(*await here.used())
        assert here.pool.take(Origin("127.0.0.1", here.origin.port, True, "h")) is None  # noqa: FBT003  tls


async def test_an_old_idle_connection_is_closed() -> None:
    async with pooled(idle_s=0.05) as here:
        here.give_back(*await here.used(3))
        await until(lambda: here.pool.open_connections == 0)
        await until(lambda: here.server.open == 0)
        assert here.pool.take(here.origin) is None


async def test_so_many_idle_connections_are_kept() -> None:
    async with pooled(max_idle=2) as here:
        here.give_back(*await here.used(3))
        await until(lambda: here.pool.open_connections == 2)


async def test_an_unfinished_connection_is_not_kept() -> None:
    async with pooled() as here:
        (connection,) = await here.used()
        connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
        here.give_back(connection)
        assert here.pool.take(here.origin) is None
        await until(lambda: here.pool.open_connections == 0)


async def test_a_connection_that_broke_while_idle_is_not_given() -> None:
    async with pooled() as here:
        first, second = await here.used(2)
        here.give_back(first, second)
        second.eof_received()
        assert here.pool.take(here.origin) is first


async def test_silence_is_noticed() -> None:
    async with pooled(b"", silence_s=0.05) as here:
        connection = await here.pool.open(here.origin)
        connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
        async with asyncio.timeout(3):
            while not connection.broken:
                await connection.changed()
        assert connection.broken == "TimeoutError"


async def test_a_closed_pool_opens_and_keeps_nothing() -> None:
    async with pooled() as here:
        (connection,) = await here.used()
        await here.pool.close()
        assert here.pool.open_connections == 0
        here.give_back(connection)
        assert here.pool.take(here.origin) is None
        with pytest.raises(ConnectionAbortedError):
            await here.pool.open(here.origin)

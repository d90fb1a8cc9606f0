"""What is sent again, and what must not be, when an old connection turns out to be dead."""

from __future__ import annotations

import asyncio

import pytest
from raw_upstreams import LENGTH_5, OK, serving, upstream

from tollgate.proxy.ports import BackendFailed, UpstreamRequest


class ClosingServer:
    """Answers so many requests of each connection, and closes it at the next one."""

    def __init__(
        self, answers: int, *, last_words: bytes = b"", fails: bool = False, works_s: float = 0
    ) -> None:
        self._answers = answers
        self._works_s = works_s
        self._last_words = last_words
        self._fails = fails
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        old = bool(self.requests)
        for _ in range(0 if old and self._fails else self._answers):
            await self._next(reader)
            writer.write(OK + LENGTH_5 + b"hello")
        await self._next(reader)
        await asyncio.sleep(self._works_s)
        writer.write(self._last_words)

    async def _next(self, reader: asyncio.StreamReader) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests.append(await reader.readexactly(2))


async def asked_twice(server: ClosingServer) -> bytes:
    async with serving(server.serve) as port, upstream() as up:
        sent = UpstreamRequest(f"http://127.0.0.1:{port}/", {}, b"{}")
        first = await up.send(sent)
        await first.read(5)
        first.close()
        second = await up.send(sent)
        body = await second.read(5)
        second.close()
        return body


async def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    server = ClosingServer(1)
    assert await asked_twice(server) == b"hello"
    assert len(server.requests) == 3


async def test_a_replaced_connection_that_breaks_too_is_a_failure() -> None:
    server = ClosingServer(1, fails=True)
    with pytest.raises(BackendFailed, match="broke off before its answer") as failed:
        await asked_twice(server)
    assert failed.value.may_have_cost
    assert len(server.requests) == 3


async def test_an_old_connection_that_breaks_within_the_headers_is_not_replaced() -> None:
    server = ClosingServer(1, last_words=b"HTTP/1.1 200 OK\r\nx-a: ")
    with pytest.raises(BackendFailed) as failed:
        await asked_twice(server)
    assert failed.value.may_have_cost
    assert len(server.requests) == 2


async def test_an_old_connection_on_which_a_backend_was_at_work_is_not_replaced() -> None:
    server = ClosingServer(1, works_s=0.6)
    with pytest.raises(BackendFailed) as failed:
        await asked_twice(server)
    assert failed.value.may_have_cost
    assert len(server.requests) == 2


async def test_a_new_connection_that_breaks_is_not_replaced() -> None:
    server = ClosingServer(0)
    with pytest.raises(BackendFailed):
        await asked_twice(server)
    assert len(server.requests) == 1


async def test_an_old_connection_that_is_given_up_here_is_not_replaced() -> None:
    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"{}"))
        writer.write(OK + LENGTH_5 + b"hello")
        seen.append(await reader.readuntil(b"{}"))
        await reader.read()

    seen: list[bytes] = []
    async with serving(answer_once) as port, upstream(timeout_s=0.1) as sender:
        asked = UpstreamRequest(f"http://127.0.0.1:{port}/", {}, b"{}")
        made = await sender.send(asked)
        await made.read(5)
        made.close()
        with pytest.raises(BackendFailed, match="TimeoutError") as failed:
            await sender.send(asked)
    assert failed.value.may_have_cost
    assert len(seen) == 2

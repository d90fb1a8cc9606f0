from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tollgate.proxy.ports import BackendFailed, UpstreamRequest
from tollgate.proxy.upstream_http import HttpAnswer, HttpUpstream

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
PAUSE = b"[pause]"
LENGTH_5 = b"content-length: 5\r\n\r\n"


class RawServer:
    """Answers each request with given bytes, and keeps the requests."""

    def __init__(self, answer: bytes, *, stays: bool = False) -> None:
        self._answer = answer
        self._stays = stays
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[RawServer]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            self.url = f"http://{host}:{port}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [
                    line for line in head.lower().split(b"\r\n") if b"content-length" in line
                ]
                body = await reader.readexactly(int(lengths[0].partition(b":")[2]))
                self.requests.append(head + body)
                for part in self._answer.split(PAUSE):
                    writer.write(part)
                    await asyncio.sleep(0.01)
                if not self._stays:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def asked(
    answer: bytes,
    *,
    stays: bool = False,
    path: str = "/",
    body: bytes = b"{}",
    timeout_s: float = 60.0,
) -> AsyncGenerator[tuple[HttpAnswer, RawServer]]:
    async with RawServer(answer, stays=stays).listening() as server, upstream(timeout_s) as sender:
        made = await sender.send(UpstreamRequest(server.url + path, {"x-a": "caf\xe9"}, body))
        try:
            yield made, server
        finally:
            made.close()


@asynccontextmanager
async def upstream(timeout_s: float = 60.0) -> AsyncGenerator[HttpUpstream]:
    sender = HttpUpstream(connect_timeout_s=timeout_s, silence_timeout_s=timeout_s)
    try:
        yield sender
    finally:
        await sender.close()


async def failure(url: str, timeout_s: float = 60.0) -> BackendFailed:
    async with upstream(timeout_s) as sender:
        with pytest.raises(BackendFailed) as failed:
            await sender.send(UpstreamRequest(url, {}, b"{}"))
    return failed.value


async def test_an_answer_has_its_status_headers_and_body() -> None:
    async with asked(b"HTTP/1.1 418 No\r\nX-Ms-Region: West\r\n" + LENGTH_5 + b"hello") as (
        made,
        _,
    ):
        assert made.status == 418
        assert ("x-ms-region", "West") in made.headers
        assert await made.read(5) == b"hello"


async def test_header_values_are_taken_byte_for_byte() -> None:
    raw = "東京 café".encode() + b"\xe9"
    async with asked(OK + b"x-a: " + raw + b"\r\n" + LENGTH_5 + b"hello") as (made, _):
        assert dict(made.headers)["x-a"].encode("latin-1") == raw


async def test_the_url_goes_out_as_it_is() -> None:
    path = "/openai/x?api-version=1&&a=%7e&b=%zz+%2B&c"
    async with asked(OK + LENGTH_5 + b"hello", path=path) as (_, server):
        assert server.requests[0].startswith(f"POST {path} HTTP/1.1\r\n".encode())


async def test_a_large_body_is_sent_whole() -> None:
    body = b"x" * 3_000_000
    async with asked(OK + LENGTH_5 + b"hello", body=body) as (_, server):
        assert server.requests[0].endswith(b"\r\n\r\n" + body)


async def test_redirects_are_not_followed_and_cookies_not_kept() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nlocation: /x\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n"
    async with RawServer(moved, stays=True).listening() as server, upstream() as sender:
        for _ in range(2):
            made = await sender.send(UpstreamRequest(server.url, {}, b"{}"))
            assert (made.status, await made.read(10)) == (307, b"")
            made.close()
    assert b"cookie" not in server.requests[1].lower()


async def test_a_connection_whose_answer_was_read_is_used_again() -> None:
    async with asked(OK + LENGTH_5 + b"hello", stays=True) as (made, server):
        await made.read(5)
        made.close()
        made.close()
        async with upstream() as sender:
            for _ in range(3):
                again = await sender.send(UpstreamRequest(server.url, {}, b"{}"))
                await again.read(5)
                again.close()
        assert server.connections == 2


async def test_a_connection_whose_answer_was_not_read_is_given_up() -> None:
    async with RawServer(CHUNKED, stays=True).listening() as server, upstream() as sender:
        for _ in range(2):
            made = await sender.send(UpstreamRequest(server.url, {}, b"{}"))
            made.close()
        assert server.connections == 2


class ClosingServer:
    """Answers so many requests of each connection, and closes it at the next one."""

    def __init__(self, answers: int, *, last_words: bytes = b"", fails: bool = False) -> None:
        self._answers = answers
        self._last_words = last_words
        self._fails = fails
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        old = bool(self.requests)
        for _ in range(0 if old and self._fails else self._answers):
            await self._next(reader)
            writer.write(OK + LENGTH_5 + b"hello")
        await self._next(reader)
        writer.write(self._last_words)
        writer.close()

    async def _next(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            self.requests.append(await reader.readexactly(2))


async def asked_twice(server: ClosingServer) -> bytes:
    async with (
        await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening,
        upstream() as up,
    ):
        port = listening.sockets[0].getsockname()[1]
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


async def test_a_new_connection_that_breaks_is_not_replaced() -> None:
    server = ClosingServer(0)
    with pytest.raises(BackendFailed):
        await asked_twice(server)
    assert len(server.requests) == 1


async def test_a_refused_connection_has_cost_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        failed = await failure(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert str(failed).startswith("cannot connect")
    assert not failed.may_have_cost


async def test_a_name_that_is_not_known_has_cost_nothing() -> None:
    assert not (await failure("http://nowhere.invalid/")).may_have_cost


async def test_a_connection_that_takes_too_long_has_cost_nothing() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)  # noqa: FBT003  the only form there is
            waiting.connect_ex(full.getsockname())
        failed = await failure(f"http://127.0.0.1:{full.getsockname()[1]}/", timeout_s=0.1)
    assert str(failed).startswith("cannot connect")
    assert not failed.may_have_cost


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 20", b"garbage\r\n\r\n", b"HTTP/1.1 xx\r\n\r\n"]
)
async def test_a_break_before_the_headers_may_have_cost(answer: bytes) -> None:
    async with RawServer(answer).listening() as server:
        failed = await failure(server.url)
    assert failed.may_have_cost


BROKEN_BODIES = {
    "too short": OK + LENGTH_5 + b"he",
    "chunk cut": CHUNKED + b"5\r\nhe",
    "no last chunk": CHUNKED + b"5\r\nhello\r\n",
    "malformed chunk": CHUNKED + b"5\r\nhello\r\n" + PAUSE + b"zz\r\n",
    "bad compression": OK + b"content-encoding: gzip\r\n" + LENGTH_5 + b"hello",
}


@pytest.mark.parametrize("answer", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
async def test_a_body_that_breaks_off_may_have_cost(answer: bytes) -> None:
    async with asked(answer, timeout_s=1.0) as (made, _):
        with pytest.raises(BackendFailed) as failed:
            await made.read(100)
    assert failed.value.may_have_cost


async def test_a_body_that_is_too_long_is_given_up() -> None:
    async with asked(OK + LENGTH_5 + b"hello") as (made, _):
        with pytest.raises(BackendFailed, match="more than 4 bytes"):
            await made.read(4)


@pytest.mark.parametrize("reason", [str, repr])
async def test_a_failure_names_no_address(reason: Callable[[object], str]) -> None:
    async with RawServer(b"").listening() as server:
        assert "127.0.0.1" not in reason(await failure(f"{server.url}/?subscription-key=secret"))

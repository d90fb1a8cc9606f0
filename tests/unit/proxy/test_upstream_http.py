from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable, Iterator

import pytest
from raw_upstreams import CHUNKED, LENGTH_5, OK, PAUSE, RawServer, asked, serving, until, upstream

from tollgate.proxy.ports import BackendFailed, UpstreamRequest


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


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_request_without_a_body_is_sent(method: str) -> None:
    async with RawServer(OK + LENGTH_5 + b"hello").listening() as server, upstream() as sender:
        made = await sender.send(UpstreamRequest(server.url, {}, b"", method))
        assert await made.read(5) == b"hello"
        made.close()
    assert server.requests[0].startswith(f"{method} / HTTP/1.1\r\n".encode())


async def test_what_cannot_be_sent_is_refused() -> None:
    async with upstream() as sender:
        for url, headers in (("ftp://h/", {}), ("http://h/", {"x": "a\r\ny: b"})):
            with pytest.raises(ValueError, match=r"the URL|a header"):
                await sender.send(UpstreamRequest(url, headers, b"{}"))


async def test_an_answer_may_come_before_the_request_is_written() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too long\r\ncontent-length: 2\r\n\r\nno")
        await reader.read()

    async with serving(refuse) as port, upstream() as sender:
        body = bytes(50_000_000)
        made = await sender.send(UpstreamRequest(f"http://127.0.0.1:{port}/", {}, body))
        assert (made.status, await made.read(2)) == (413, b"no")
        made.close()
        await until(lambda: sender.open_connections == 0)


async def test_a_cancelled_request_gives_its_connection_up() -> None:
    async with RawServer(b"", stays=True).listening() as server, upstream() as sender:
        sent = [
            asyncio.create_task(sender.send(UpstreamRequest(server.url, {}, b"{}")))
            for _ in range(20)
        ]
        await until(lambda: len(server.requests) == 20)
        for task in sent:
            task.cancel()
        await asyncio.wait(sent)
        await until(lambda: sender.open_connections == server.open == 0)


@pytest.fixture
def many_files() -> Iterator[None]:
    """A thousand connections have two thousand ends, all in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
async def test_a_thousand_requests_at_once() -> None:
    answer = OK + LENGTH_5 + b"he" + PAUSE + b"llo"
    async with RawServer(answer, stays=True).listening() as server, upstream() as sender:

        async def ask() -> bytes:
            made = await sender.send(UpstreamRequest(server.url, {}, b"{}"))
            try:
                return await made.read(5)
            finally:
                made.close()

        assert await asyncio.gather(*[ask() for _ in range(1000)]) == [b"hello"] * 1000
        await until(lambda: sender.open_connections == 256)
        assert await asyncio.gather(*[ask() for _ in range(200)]) == [b"hello"] * 200
        assert server.connections == 1000


async def test_who_waits_when_all_is_closed_is_told() -> None:
    async with RawServer(b"", stays=True).listening() as server, upstream() as sender:
        sent = asyncio.create_task(sender.send(UpstreamRequest(server.url, {}, b"{}")))
        await until(lambda: len(server.requests) == 1)
        await sender.close()
        with pytest.raises(BackendFailed, match="broke off before its answer"):
            await sent
        with pytest.raises(BackendFailed, match="cannot connect"):
            await sender.send(UpstreamRequest(server.url, {}, b"{}"))


async def test_a_backend_that_never_answers_may_have_cost() -> None:
    async with RawServer(b"", stays=True).listening() as server:
        failed = await failure(server.url, timeout_s=0.1)
        assert str(failed) == "broke off before its answer: TimeoutError"
        assert failed.may_have_cost
        assert len(server.requests) == 1


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

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest
from raw_upstreams import CHUNKED, LENGTH_5, OK, PAUSE, asked, until

from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.upstream_http import HttpAnswer

TEXT = b"hello " * 1000


def encoded(name: bytes, body: bytes) -> bytes:
    return OK + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (name, len(body)) + body


WHOLE: dict[str, tuple[bytes, bytes]] = {
    "length": (OK + LENGTH_5 + b"hello", b"hello"),
    "chunks": (CHUNKED + b"5;x=y\r\nhello\r\n0\r\nx-t: 1\r\n\r\n", b"hello"),
    "until the end": (OK + b"\r\nhello", b"hello"),
    "no content": (b"HTTP/1.1 204 No\r\n\r\n", b""),
    "not modified": (b"HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n", b""),
    "informed": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH_5 + b"hello", b"hello"),
    "gzip": (encoded(b"gzip", gzip.compress(TEXT)), TEXT),
    "deflate": (encoded(b"deflate", zlib.compress(TEXT)), TEXT),
    "identity": (encoded(b"identity", TEXT), TEXT),
}


@pytest.mark.parametrize(("answer", "body"), WHOLE.values(), ids=WHOLE)
async def test_a_body_is_read_whole(answer: bytes, body: bytes) -> None:
    async with asked(answer) as (made, _):
        assert await made.read(len(body)) == body
        assert await made.next_chunk() == b""


@pytest.mark.parametrize(("answer", "body"), WHOLE.values(), ids=WHOLE)
async def test_a_body_in_several_parts_is_the_same(answer: bytes, body: bytes) -> None:
    middle = len(answer) - 3
    async with asked(answer[:middle] + PAUSE + answer[middle:]) as (made, _):
        assert await made.read(len(body)) == body


async def test_what_is_here_comes_at_once_and_the_rest_later() -> None:
    async with asked(CHUNKED + b"2\r\nhe\r\n1\r\nl\r\n" + PAUSE + b"2\r\nlo\r\n0\r\n\r\n") as (
        made,
        _,
    ):
        assert [await made.next_chunk() for _ in range(3)] == [b"hel", b"lo", b""]


async def test_a_cancelled_call_loses_nothing() -> None:
    async with asked(OK + LENGTH_5 + b"he" + PAUSE * 5 + b"llo") as (made, _):
        assert await made.next_chunk() == b"he"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await made.next_chunk()
        assert await made.next_chunk() == b"llo"


async def test_what_came_before_a_break_is_given_first() -> None:
    async with asked(OK + LENGTH_5 + b"he") as (made, _):
        assert await made.next_chunk() == b"he"
        with pytest.raises(BackendFailed, match="broke its answer off: EOFError") as failed:
            await made.next_chunk()
        assert failed.value.may_have_cost
        with pytest.raises(BackendFailed):
            await made.next_chunk()


async def test_silence_is_a_failure() -> None:
    async with asked(OK + LENGTH_5 + b"he", stays=True, timeout_s=0.05) as (made, _):
        with pytest.raises(BackendFailed, match="TimeoutError") as failed:
            await made.read(5)
    assert failed.value.may_have_cost


@pytest.mark.parametrize(
    "answer",
    [encoded(b"gzip", gzip.compress(TEXT)[:-4]), encoded(b"deflate", b"hello")],
    ids=["cut", "not encoded"],
)
async def test_an_encoding_that_breaks_may_have_cost(answer: bytes) -> None:
    async with asked(answer, stays=True) as (made, _):
        with pytest.raises(BackendFailed, match="broke its answer off") as failed:
            await made.read(100_000)
    assert failed.value.may_have_cost


async def test_an_encoding_that_was_not_asked_for_may_have_cost() -> None:
    with pytest.raises(BackendFailed, match="not asked for") as failed:
        async with asked(encoded(b"br", b"hello")):
            pass
    assert failed.value.may_have_cost


async def test_a_bomb_is_given_up_at_the_bound() -> None:
    async with asked(encoded(b"gzip", gzip.compress(bytes(50_000_000)))) as (made, _):
        assert len(await made.next_chunk()) == 256 * 1024
        with pytest.raises(BackendFailed, match="more than 1000000 bytes"):
            await made.read(1_000_000)


async def test_a_reader_that_takes_nothing_is_sent_nothing_more() -> None:
    body = bytes(30_000_000)
    answer = OK + b"content-length: %d\r\n\r\n" % len(body) + body
    async with asked(answer, stays=True) as (made, _):
        waiting = held_bytes(made)
        await until(lambda: waiting() > 64 * 1024)
        await asyncio.sleep(0.05)
        assert waiting() <= 128 * 1024
        assert await made.read(len(body)) == body


def held_bytes(made: HttpAnswer) -> Callable[[], int]:
    """How much of the body waits in memory; nothing public says so."""
    connection = made._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert connection is not None
    return lambda: connection.answer.waiting_bytes


async def test_a_closed_answer_is_not_read_on() -> None:
    async with asked(OK + LENGTH_5 + b"hello") as (made, _):
        made.close()
        with pytest.raises(BackendFailed, match="closed"):
            await made.next_chunk()

from __future__ import annotations

import asyncio
import json

import pytest
from raw_clients import HASTY, App, connected

from tollgate.proxy.client_bounds import ConnectionBounds

MAX_HEAD_BYTES = ConnectionBounds().max_head_bytes
GET = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
LARGE = b"x-long: " + b"a" * MAX_HEAD_BYTES + b"\r\n"


def refused(raw: bytes) -> tuple[int, str]:
    """Status and code of the one answer that there is."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    return int(head.split()[1]), json.loads(body)["error"]["code"]


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET / HTTP/1.1\r\n", LARGE, b"\r\n"],
        [b"GET /", b"a" * MAX_HEAD_BYTES, b"a" * MAX_HEAD_BYTES],
        [b"POST / HTTP/1.1\r\ncontent-length: 2\r\n", LARGE, b"\r\n", b"{}"],
        [CHUNKED, b"1\r\na\r\n0\r\n", LARGE],
        [CHUNKED, b"1;", b"a" * MAX_HEAD_BYTES, b"a" * MAX_HEAD_BYTES],
    ],
    ids=["header", "path", "before a body", "trailer", "chunk extension"],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_what_is_no_body_is_bounded(parts: list[bytes], whole: bool) -> None:  # noqa: FBT001  a case
    app = App()
    async with connected(app) as client:
        sent = b"".join(parts)
        length = len(sent) if whole else 4000
        for at in range(0, len(sent), length):
            client.send(sent[at : at + length])
            await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        client.send(b"a" * MAX_HEAD_BYTES, b"a" * MAX_HEAD_BYTES)
        assert (await client.rest()).startswith(b"HTTP/1.1 431")
    assert app.served == []


async def test_who_is_refused_is_told_why_and_not_served() -> None:
    app = App()
    async with connected(app) as client:
        client.send(b"GET / HTTP/1.1\r\n", LARGE, b"\r\n", LAST)
        assert refused(await client.rest()) == (431, "headers_too_large")
    assert app.served == []


async def test_a_head_within_bounds_is_served() -> None:
    async with connected(App()) as client:
        client.send(LAST[:-2], b"x-long: ", b"a" * (MAX_HEAD_BYTES - 200), b"\r\n\r\n")
        assert (await client.rest()).endswith(b"/last 0;")


async def test_a_body_may_be_long_and_in_small_pieces() -> None:
    async with connected(App()) as client:
        client.send(CHUNKED, b"1\r\na\r\n" * 100_000, b"0\r\n\r\n", LAST)
        answers = await client.rest()
    assert b"/ 100000;" in answers
    assert answers.endswith(b"/last 0;")


async def test_a_long_body_is_not_taken_for_the_next_head() -> None:
    async with connected(App()) as client:
        client.send(b"POST / HTTP/1.1\r\ncontent-length: 200000\r\n\r\n", b"a" * 200_000, LAST[:9])
        await client.said(b"/ 200000;")
        client.send(LAST[9:])
        assert (await client.rest()).endswith(b"/last 0;")


@pytest.mark.parametrize("begun", [b"", b"GET", b"GET / HTTP/1.1\r\nhost: x\r\n", b"\r\n\r\n"])
async def test_a_head_that_does_not_arrive_is_not_waited_for(begun: bytes) -> None:
    async with connected(App(), HASTY) as client:
        client.send(begun)
        assert refused(await client.rest()) == (408, "request_timeout")


async def test_nor_is_the_next_one() -> None:
    async with connected(App(), HASTY) as client:
        client.send(GET % b"one")
        await client.said(b"/one 0;")
        client.send(b"GET / HTTP")
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


async def test_the_rest_of_a_body_that_is_answered_is_not_waited_for() -> None:
    async with connected(App(), HASTY) as client:
        client.send(b"POST /early HTTP/1.1\r\ncontent-length: 9\r\n\r\n")
        await client.said(b"/early 0;")
        client.send(b"a")
        assert await client.rest() == b""


async def test_a_slow_body_is_the_apps_affair() -> None:
    async with connected(App(), HASTY) as client:
        client.send(b"POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\n", b"a")
        await asyncio.sleep(0.3)
        client.send(b"a")
        assert (await client.rest()).endswith(b"/ 2;")


MALFORMED = {
    "no http": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "length and chunks": CHUNKED.replace(b"host: x", b"content-length: 3"),
    "two lengths": b"POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
    "no length": b"POST / HTTP/1.1\r\ncontent-length: +3\r\n\r\nabc",
    "a folded line": b"GET / HTTP/1.1\r\nx-a: b\r\n c\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nx-a : b\r\n\r\n",
    "a nul": b"GET / HTTP/1.1\r\nx-a: b\0c\r\n\r\n",
    "a cr": b"GET / HTTP/1.1\r\nx-a: b\rc: d\r\n\r\n",
    "unknown encoding": b"POST / HTTP/1.1\r\ntransfer-encoding: xchunked\r\n\r\n",
    "chunked and more": b"POST / HTTP/1.1\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
    "chunk size": CHUNKED + b"xyz\r\n",
    "negative chunk size": CHUNKED + b"-1\r\n",
    "huge chunk size": CHUNKED + b"fffffffffffffffff\r\n",
    "chunk without its end": CHUNKED + b"1\r\nabc\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_not_http_is_refused_and_never_served(name: str) -> None:
    app = App()
    async with connected(app) as client:
        client.send(MALFORMED[name], GET % b"smuggled")
        assert refused(await client.rest()) == (400, "malformed_request")
    assert app.served == []


async def test_what_is_not_http_is_no_answer_to_the_request_before_it() -> None:
    app = App()
    app.gate.clear()
    async with connected(app) as client:
        client.send(GET % b"one", GET % b"two", b"\0\0\r\n\r\n")
        await asyncio.sleep(0.02)
        app.gate.set()
        answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"/one 0;")
    assert app.served == ["/one"]


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    async with connected(App()) as client:
        client.send(GET % b"one", CHUNKED, b"3\r\nabc\r\n0\r\n\r\n", GET % b"two", LAST)
        answers = await client.rest()
    found = [answers.index(text) for text in (b"/one 0;", b"/ 3;", b"/two 0;", b"/last 0;")]
    assert found == sorted(found)


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
async def test_nothing_is_upgraded_to(protocol: str) -> None:
    async with connected(App()) as client:
        client.send(f"GET /a HTTP/1.1\r\nupgrade: {protocol}\r\nconnection: upgrade\r\n".encode())
        client.send(b"\r\n")
        await client.said(b"/a 0;")


async def test_who_does_not_read_is_not_waited_for() -> None:
    async with connected(App(), HASTY) as client:
        client.send(GET % b"much")
        await asyncio.sleep(0.6)
        assert len(await client.rest()) < 50_000_000


async def test_who_reads_slowly_gets_all() -> None:
    async with connected(App()) as client:
        client.send(GET % b"much", LAST)
        await client.said(b"\r\n\r\n")
        async with asyncio.timeout(10):
            assert len(await client.reader.readexactly(50_000_000)) == 50_000_000
        assert (await client.rest()).endswith(b"/last 0;")


async def test_what_is_refused_early_is_read_to_its_end_and_not_kept() -> None:
    async with connected(App()) as client:
        client.send(b"POST /early HTTP/1.1\r\ncontent-length: 3000000\r\n\r\n")
        await client.said(b"/early 0;")
        client.send(b"a" * 3_000_000, LAST)
        assert (await client.rest()).endswith(b"/last 0;")


async def test_a_page_is_shown_whatever_comes_with_the_request() -> None:
    async with connected(App()) as client:
        client.send(b"POST /page HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc", LAST)
        assert b"a page" in await client.rest()

from __future__ import annotations

import asyncio

from fake_edges import BODY, STREAMED, edge
from proxying import (
    DONE,
    HELLO,
    USAGE,
    FakeAnswer,
    completion,
    stream,
)


async def test_a_server_that_ends_lets_a_stream_come_to_its_end() -> None:
    go = asyncio.Event()
    async with edge(stream(HELLO, go, USAGE, DONE)) as here:
        here.send(STREAMED)
        await here.reader.readuntil(HELLO)
        ending = asyncio.create_task(here.clients.end(60))
        await asyncio.sleep(0.02)
        go.set()
        assert (await here.rest()).endswith(b"0\r\n\r\n")
        await ending
        assert not (await here.counted()).cancelled


async def test_a_server_that_ends_waits_for_what_is_served_to_who_has_left() -> None:
    go = asyncio.Event()
    async with edge(FakeAnswer(go, completion())) as here:
        here.send(BODY)
        await asyncio.sleep(0.02)
        here.writer.transport.abort()
        await asyncio.sleep(0.02)
        asyncio.get_running_loop().call_later(0.05, go.set)
        await here.clients.end(5)
        assert here.sink.only.data.provenance == "measured"


async def test_a_server_that_ends_takes_in_nobody() -> None:
    async with edge(FakeAnswer(completion())) as here:
        here.writer.transport.abort()
        await here.clients.end(5)
        await here.open(here.port)
        assert await here.rest() == b""


async def test_a_server_that_ends_cuts_short_what_takes_too_long_and_counts_it() -> None:
    async with edge(stream(HELLO, asyncio.Event())) as here:
        here.send(STREAMED)
        await here.reader.readuntil(HELLO)
        await here.clients.end(0.02)
        assert (await here.counted()).cancelled


async def test_a_server_that_ends_closes_idle_connections_and_announces_the_end() -> None:
    async with edge(FakeAnswer(completion())) as here:
        here.send(BODY)
        await here.head()
        await here.reader.readexactly(len(completion()))
        await here.clients.end(5)
        assert await here.rest() == b""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from tollgate.proxy.upstream_connection import BackendConnection
from tollgate.proxy.write_turn import WriteTurn

OK = b"HTTP/1.1 200 OK\r\n"
KB_64 = 64 * 1024


class FakeTransport:
    """Keeps what is written, and what else is asked of it; full after `room` writes."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.connection: BackendConnection | None = None
        self.room = room
        self.writes: list[bytes] = []
        self.receiving = True
        self.aborted = False

    def write(self, data: bytes | memoryview) -> None:
        self.writes.append(bytes(data))
        if len(self.writes) >= self.room and self.connection is not None:
            self.connection.pause_writing()

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        self.receiving = False

    def resume_reading(self) -> None:
        self.receiving = True


class Made:
    """A connection on a fake transport."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.lost: list[BackendConnection] = []
        self.transport = FakeTransport(room)
        incoming = memoryview(bytearray(KB_64))
        loop = asyncio.get_running_loop()
        self.connection = BackendConnection(WriteTurn(loop), loop, incoming, self.lost.append)
        self.transport.connection = self.connection
        self.connection.connection_made(cast("Any", self.transport))

    def receive(self, data: bytes) -> None:
        self.connection.get_buffer(-1)[: len(data)] = data
        self.connection.buffer_updated(len(data))


def answered(data: bytes, body: bytes = b"") -> Made:
    made = Made()
    made.connection.send(b"head", body)
    made.receive(data)
    return made


async def test_head_and_body_are_one_write() -> None:
    made = Made()
    made.connection.send(b"head", b"body")
    assert made.transport.writes == []
    for _ in range(2):  # with all that the loop has to write
        await asyncio.sleep(0)
    assert made.transport.writes == [b"headbody"]


async def test_what_is_broken_before_the_turn_ends_is_not_written() -> None:
    made = Made()
    made.connection.send(b"head", b"body")
    made.connection.abort()
    for _ in range(2):
        await asyncio.sleep(0)
    assert made.transport.writes == []


async def test_a_long_body_is_written_as_fast_as_it_is_taken() -> None:
    made = Made(room=3)
    body = bytes(range(256)) * 1024
    made.connection.send(b"head", body)
    assert list(map(len, made.transport.writes)) == [4, KB_64, KB_64]
    made.transport.room = 1_000_000
    made.connection.resume_writing()
    assert b"".join(made.transport.writes) == b"head" + body


async def test_a_very_long_body_lets_others_have_their_turn() -> None:
    made = Made()
    body = bytes(20 * KB_64)
    made.connection.send(b"", body)
    assert len(made.transport.writes) == 17
    await asyncio.sleep(0)
    assert b"".join(made.transport.writes) == body


async def test_an_answer_that_comes_before_the_body_is_written_spoils_the_connection() -> None:
    made = Made(room=2)
    made.connection.send(b"head", bytes(3 * KB_64))
    made.receive(b"HTTP/1.1 413 Too long\r\ncontent-length: 2\r\n\r\nno")
    assert (made.connection.answer.status, made.connection.take()) == (413, b"no")
    assert made.connection.answer.complete
    assert not made.connection.reusable


async def test_receiving_stops_until_what_is_here_is_taken() -> None:
    made = answered(OK + b"content-length: 200000\r\n\r\n")
    made.receive(bytes(KB_64))
    assert made.transport.receiving
    made.receive(b"a")
    assert not made.transport.receiving
    assert len(made.connection.take()) == KB_64 + 1
    assert made.transport.receiving


async def test_a_connection_is_reusable_when_its_answer_is_whole() -> None:
    made = answered(OK + b"content-length: 1\r\n\r\n")
    assert not made.connection.reusable
    made.receive(b"a")
    assert made.connection.reusable
    made.connection.send(b"head", b"")
    assert not made.connection.reusable


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\n", b"x"])
async def test_bytes_that_nobody_asked_for_end_the_connection(more: bytes) -> None:
    made = answered(OK + b"content-length: 0\r\n\r\n")
    made.receive(more)
    assert made.transport.aborted
    assert not made.connection.reusable


async def test_an_end_while_idle_ends_the_connection() -> None:
    made = answered(OK + b"content-length: 0\r\n\r\n")
    made.connection.eof_received()
    assert made.transport.aborted
    assert not made.connection.reusable


async def test_who_waits_is_told_of_the_end() -> None:
    made = Made()
    made.connection.send(b"head", b"")
    waiting = asyncio.create_task(made.connection.changed())
    await asyncio.sleep(0)
    made.connection.connection_lost(ConnectionResetError())
    await waiting
    assert made.connection.broken == "ConnectionResetError"
    assert made.lost == [made.connection]


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
async def test_only_a_good_end_completes_an_answer_without_a_length(
    error: Exception | None,
) -> None:
    made = answered(OK + b"\r\nhello")
    made.connection.connection_lost(error)
    assert made.connection.take() == b"hello"
    assert made.connection.answer.complete == (error is None)


async def test_a_malformed_answer_keeps_what_came_before() -> None:
    made = answered(OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
    assert made.connection.take() == b"hello"
    assert made.connection.broken == "MalformedAnswerError"
    made.receive(b"more")
    assert made.connection.take() == b""


async def test_silence_counts_only_while_somebody_waits() -> None:
    made = Made()
    made.connection.send(b"head", b"")
    now_s = asyncio.get_running_loop().time()
    made.connection.check_silence(now_s + 100, 10)
    assert not made.connection.broken
    waiting = asyncio.create_task(made.connection.changed())
    await asyncio.sleep(0)
    made.connection.check_silence(now_s + 5, 10)
    assert not made.connection.broken
    made.connection.check_silence(now_s + 100, 10)
    await waiting
    assert made.connection.broken == "TimeoutError"


async def test_a_cancelled_wait_loses_nothing() -> None:
    made = answered(OK + b"content-length: 5\r\n\r\n")
    waiting = asyncio.create_task(made.connection.changed())
    await asyncio.sleep(0)
    made.receive(b"hello")
    waiting.cancel()
    await asyncio.wait({waiting})
    assert made.connection.take() == b"hello"


async def test_nothing_is_sent_on_a_connection_that_broke() -> None:
    made = Made()
    made.connection.abort()
    made.connection.send(b"head", b"")
    assert made.transport.writes == []
    assert made.connection.broken == "ConnectionAbortedError"

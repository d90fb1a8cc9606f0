from __future__ import annotations

import tracemalloc

from tollgate.proxy.client_parsing import Incoming, RequestParser

HEAD = b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n"


class Owner:
    """Refuses every body, or none."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.seen: list[Incoming] = []
        self.too_long_ones: list[Incoming] = []

    def headed(self, incoming: Incoming) -> None:
        incoming.limit = self._limit
        self.seen.append(incoming)

    def too_long(self, incoming: Incoming) -> None:
        incoming.started = True
        self.too_long_ones.append(incoming)

    def ended(self, incoming: Incoming) -> None:
        assert incoming.complete


def fed(limit: int, *pieces: bytes) -> Owner:
    owner = Owner(limit)
    parser = RequestParser(owner, 64 * 1024)
    for piece in pieces:
        parser.feed(piece)
    return owner


def test_a_body_in_pieces_is_put_together() -> None:
    (incoming,) = fed(6, HEAD[:20], HEAD[20:] + b"ab", b"cd", b"ef").seen
    assert (incoming.take_body(), incoming.complete) == (b"abcdef", True)


def test_of_a_body_that_is_too_long_nothing_is_kept_and_that_is_told_once() -> None:
    owner = fed(3, HEAD + b"ab", b"cd", b"ef")
    (incoming,) = owner.seen
    assert owner.too_long_ones == [incoming]
    assert (incoming.take_body(), incoming.size) == (b"", 6)


def test_what_varies_stands_apart() -> None:
    head = HEAD.replace(b"host: x", b"Host: x\r\nTraceParent: 00-1\r\nX-" + b"a" * 99 + b": y")
    (incoming,) = fed(6, head + b"abcdef").seen
    assert incoming.varying == [("traceparent", "00-1"), ("content-length", "6")]
    assert incoming.headers == [("host", b"x"), ("x-" + "a" * 99, b"y")]


def test_nothing_is_read_behind_another_protocol() -> None:
    head = b"GET /x HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"
    owner = fed(6, head, HEAD)
    assert [incoming.method for incoming in owner.seen] == [b"GET"]


def test_a_body_in_many_pieces_takes_little_more_memory_than_its_bytes() -> None:
    head = b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    pieces = b"2\r\nab\r\n" * 100_000
    tracemalloc.start()
    try:
        (incoming,) = fed(200_000, head + pieces).seen
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert incoming.size == 200_000
    assert taken < 2 * incoming.size

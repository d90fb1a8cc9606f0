from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.proxy.messages import Headers
from tollgate.proxy.upstream_parsing import AnswerParser, MalformedAnswerError

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"

INFORMED = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n"

# bytes, status, body, whether another answer may follow
WHOLE: dict[str, tuple[bytes, int, bytes, bool]] = {
    "length": (OK + b"content-length: 5\r\n\r\nhello", 200, b"hello", True),
    "empty": (OK + b"content-length: 0\r\n\r\n", 200, b"", True),
    "chunks": (CHUNKED + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200, b"hello", True),
    "extensions": (CHUNKED + b'5;a=1;b="2"\r\nhello\r\n0;c\r\n\r\n', 200, b"hello", True),
    "trailers": (CHUNKED + b"5\r\nhello\r\n0\r\nx-t: 1\r\nx-u: 2\r\n\r\n", 200, b"hello", True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "not modified": (b"HTTP/1.1 304 N\r\ncontent-length: 5\r\n\r\n", 304, b"", True),
    "informed": (
        INFORMED + b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nhello",
        201,
        b"hello",
        True,
    ),
    "closing": (OK + b"connection: close\r\ncontent-length: 5\r\n\r\nhello", 200, b"hello", False),
    "old": (b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", 200, b"hello", False),
    "until the end": (OK + b"\r\nhello", 200, b"hello", False),
    "no reason": (b"HTTP/1.1 429 \r\ncontent-length: 5\r\n\r\nhello", 429, b"hello", True),
    "one too many": (OK + b"content-length: 5\r\n\r\nhello" * 2, 200, b"hello", False),
}

MALFORMED: dict[str, bytes] = {
    "garbage": b"garbage\r\n\r\n",
    "status": b"HTTP/1.1 xx\r\n\r\n",
    "low status": b"HTTP/1.1 099 x\r\n\r\n",
    "upgrade": b"HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    "two lengths": OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\n",
    "length and chunks": OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
    "negative length": OK + b"content-length: -5\r\n\r\n",
    "other encoding": OK + b"transfer-encoding: gzip\r\n\r\nhello",
    "chunks not last": OK + b"transfer-encoding: chunked, gzip\r\n\r\nhello",
    "chunk length": CHUNKED + b"zz\r\n",
    "chunk end": CHUNKED + b"5\r\nhelloXX",
    "folded": OK + b"x: a\r\n b\r\n\r\n",
    "NUL": OK + b"x: a\0b\r\n\r\n",
    "long head": OK + b"x: " + b"a" * 70_000 + b"\r\n\r\n",
    "many headers": OK + b"x: a\r\n" * 300 + b"\r\n",
}
ENDLESS: dict[str, bytes] = {
    "value": OK + b"x: " + b"a" * 1000,
    "reason": b"HTTP/1.1 200 " + b"a" * 1000,
    "1xx": b"HTTP/1.1 100 C\r\n\r\n",
    "extension": CHUNKED + b"5;" + b"a" * 1000,
    "trailer": CHUNKED + b"0\r\nx: " + b"a" * 1000,
}


def fed(*parts: bytes) -> AnswerParser:
    parser = AnswerParser()
    for part in parts:
        parser.feed(memoryview(part))
    return parser


def feed_often(parser: AnswerParser, data: bytes) -> None:
    for _ in range(20_000):
        parser.feed(data)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:end] for start, end in pairwise(ends)]


def outcome(parser: AnswerParser) -> tuple[int, Headers, bytes, bool, bool]:
    body = parser.take()
    parser.end()
    return parser.status, parser.headers, body, parser.complete, parser.reusable


@pytest.mark.parametrize(("answer", "status", "body", "again"), WHOLE.values(), ids=WHOLE)
def test_an_answer_is_read_to_its_end(answer: bytes, status: int, body: bytes, again: bool) -> None:  # noqa: FBT001  a column of the table
    found, _, taken, complete, reusable = outcome(fed(answer))
    assert (found, taken, complete, reusable) == (status, body, True, again)


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.integers(0, 300), max_size=12))
def test_however_it_is_cut_an_answer_is_the_same(name: str, places: list[int]) -> None:
    answer = WHOLE[name][0]
    assert outcome(fed(*cut(answer, places))) == outcome(fed(answer))


@given(st.sampled_from(sorted(MALFORMED)), st.lists(st.integers(0, 300), max_size=12))
def test_however_it_is_cut_a_malformed_answer_is_refused(name: str, places: list[int]) -> None:
    with pytest.raises(MalformedAnswerError):
        fed(*cut(MALFORMED[name], places))


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_byte_by_byte_is_as_good(answer: tuple[bytes, int, bytes, bool]) -> None:
    parts = [bytes([byte]) for byte in answer[0]]
    assert outcome(fed(*parts)) == outcome(fed(answer[0]))


@pytest.mark.parametrize("beginning", ENDLESS.values(), ids=ENDLESS)
def test_what_never_comes_to_a_point_is_given_up(beginning: bytes) -> None:
    parser = AnswerParser()
    more = beginning if b"100 C" in beginning else b"a" * 1000
    parser.feed(beginning)
    with pytest.raises(MalformedAnswerError):
        feed_often(parser, more)


def test_a_long_stream_of_small_chunks_is_no_such_thing() -> None:
    parser = fed(CHUNKED)
    for _ in range(20_000):
        parser.feed(b"1;some=extension\r\na\r\n")
        assert parser.take() == b"a"


def test_headers_are_lower_case_names_and_latin_1_values() -> None:
    raw = "東京 café".encode() + b"\xe9"
    answer = fed(OK + b"X-A: " + raw + b"\r\nx-a:\r\ncontent-length: 0\r\n\r\n")
    assert answer.headers[:2] == (("x-a", raw.decode("latin-1")), ("x-a", ""))


def test_trailers_and_1xx_headers_are_not_the_answers() -> None:
    for name in ("trailers", "informed"):
        assert {header for header, _ in fed(WHOLE[name][0]).headers} <= {
            "content-length",
            "transfer-encoding",
        }


def test_one_answer_follows_the_other() -> None:
    parser = fed(WHOLE["trailers"][0])
    for name in ("length", "no content", "informed", "closing"):
        parser.begin()
        assert not parser.headed
        parser.feed(WHOLE[name][0])
        assert (parser.status, parser.take()) == WHOLE[name][1:3]


def test_an_end_that_comes_too_early_completes_nothing() -> None:
    for part in (b"", OK, OK + b"content-length: 5\r\n\r\nhell", CHUNKED + b"5\r\nhello\r\n"):
        parser = fed(part)
        parser.end()
        assert not parser.complete


def test_what_is_here_can_be_taken_after_release() -> None:
    parser = fed(OK + b"content-length: 6\r\n\r\nhello")
    parser.release()
    assert (parser.waiting_bytes, parser.take(), parser.waiting_bytes) == (5, b"hello", 0)


def test_what_the_answer_names_as_its_connections_own_is_left_out() -> None:
    parser = AnswerParser()
    hop = b"connection: X-Hop, keep-alive\r\nConnection: x-too, content-length\r\n"
    fields = b"x-hop: 1\r\nX-Too: 2\r\nx-end: 3\r\ncontent-length: 5\r\n\r\nhello"
    parser.feed(OK + hop + fields)
    names = [name for name, _ in parser.headers]
    assert names == ["connection", "connection", "x-end", "content-length"]
    assert (parser.fields["x-end"], parser.take(), parser.complete) == ("3", b"hello", True)

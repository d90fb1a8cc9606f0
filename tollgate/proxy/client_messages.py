"""The heads of clients' requests, and of the answers to them, as bytes on a connection."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec
from httptools import HttpParserInvalidURLError, parse_url

from tollgate.proxy.messages import Answer, Headers, Request

RawHeaders = tuple[tuple[str, bytes], ...]

# Of one client they differ from request to request, so they stand apart from its other headers.
VARYING: Final = frozenset(
    {
        "content-length",
        "date",
        "expect",
        "idempotency-key",
        "request-id",
        "traceparent",
        "tracestate",
        "x-correlation-id",
        "x-ms-client-request-id",
        "x-request-id",
        "x-tollgate-request-id",
    }
)
_BODILESS: Final = frozenset({204, 304})
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

# What a header takes in memory beside its text: many short ones must not fill it.
_HEADER_BYTES: Final = 64
_KEPT: Final = 1024
_LONGEST_KEPT: Final = 4096
_LONGEST_NAME: Final = 64
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


def read_head(method: bytes, url: bytes, headers: RawHeaders, varying: Headers) -> Request:
    """The request that a head makes; its body is still to be read.

    Clients say the same again and again: what is read of a short head is remembered.

    Raises:
        ValueError: The URL is none.
    """
    length = len(url) + sum([len(name) + len(value) + _HEADER_BYTES for name, value in headers])
    path, query, stable = (_parts if length <= _LONGEST_KEPT else _parts_anew)(url, headers)
    return Request(
        method=_method(method), path=path, query=query, headers=stable, varying=varying, body=None
    )


def _parts_anew(url: bytes, headers: RawHeaders) -> tuple[str, str, Headers]:
    try:
        parsed = parse_url(url)
    except HttpParserInvalidURLError:
        raise ValueError("the request's target is no URL") from None
    path = unquote_to_bytes(parsed.path or b"/").decode("utf-8", "replace")
    query = (parsed.query or b"").decode("latin-1")
    return path, query, tuple((name, value.decode("latin-1")) for name, value in headers)


_parts: Final = lru_cache(maxsize=_KEPT)(_parts_anew)


@lru_cache(maxsize=64)
def _method(method: bytes) -> str:
    return method.decode("ascii", "replace")


def lower_name(name: bytes) -> str:
    """A header's name as it is compared."""
    return (_lower if len(name) <= _LONGEST_NAME else _lower_anew)(name)


def _lower_anew(name: bytes) -> str:
    return name.decode("latin-1").lower()


_lower: Final = lru_cache(maxsize=_KEPT)(_lower_anew)


def whole_answer(answer: Answer, method: bytes, *more: str) -> bytes:
    """An answer that is not streamed.

    Args:
        answer: The answer.
        method: Of the request: the answer to HEAD has no body.
        more: Lines of the connection's own.

    Raises:
        ValueError: A header holds a line end.
    """
    body = answer.body if isinstance(answer.body, bytes) else b""
    if answer.status in _BODILESS:
        return answer_head(answer, *more)
    head = answer_head(answer, f"content-length: {len(body)}", *more)
    return head if method == b"HEAD" else head + body


def answer_head(answer: Answer, *more: str) -> bytes:
    """The head of an answer; as above."""
    headers = [f"{name}: {value}" for name, value in answer.headers]
    lines = [_status_line(answer.status), *headers, *more]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1:
        raise ValueError("a header of the answer holds a line end")
    return (text + "\r\n\r\n").encode("latin-1", "replace")


@lru_cache(maxsize=64)
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}"


class BodyForm(msgspec.Struct, frozen=True):
    """How a body whose length is not known goes out.

    Args:
        lines: Of the head.
        piece: Makes a piece of the body; not for an empty one, which would end it.
        end: What is behind the last piece.
    """

    lines: tuple[str, ...]
    piece: Callable[[bytes], bytes]
    end: bytes


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


CHUNKS: Final = BodyForm(("transfer-encoding: chunked",), _chunk, b"0\r\n\r\n")
UNTIL_CLOSED: Final = BodyForm((), bytes, b"")  # for HTTP/1.0

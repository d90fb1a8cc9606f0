"""Writes the head of a request, and reads the URL that it goes to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import msgspec

from tollgate.proxy.messages import Headers
from tollgate.proxy.ports import UpstreamRequest

_PORTS: Final = {"http": 80, "https": 443}
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_TARGET: Final = re.compile(r"[\x21\x22\x24-\x7e\x80-\xff]+")  # no space, no control, no #
# Those are written here, from the URL and the body; a second one would leave the bounds open.
_OURS: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})
_LONGEST_KEPT: Final = 8192
_AFTER_SCHEME: Final = len("https://")


class Origin(msgspec.Struct, frozen=True):
    """Where a connection leads to.

    Args:
        host: A name or an address, without brackets.
        port: The port.
        tls: Whether TLS is spoken.
        authority: The same as the `Host` header says it.
    """

    host: str
    port: int
    tls: bool
    authority: str


def split_url(url: str) -> tuple[Origin, str]:
    """The origin of a URL, and the target that stands in the request line, as it is.

    Raises:
        ValueError: It is no URL that a request can go to; the message does not repeat it.
    """
    end = url.find("/", _AFTER_SCHEME)
    if end < 0:
        return _origin(url), "/"
    target = url[end:]
    if not _TARGET.fullmatch(target):
        target = target.partition("#")[0]
        if not _TARGET.fullmatch(target):
            raise ValueError("the URL's path or query has characters that no URL may have")
    return _origin(url[:end]), target


@lru_cache(maxsize=256)
def _origin(url: str) -> Origin:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the URL's host or port cannot be read") from None
    named = parts.scheme in _PORTS and parts.hostname and _VISIBLE.fullmatch(url)
    if not named or parts.username is not None or url != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("the URL must be http://HOST[:PORT]/… or https://HOST[:PORT]/…")
    if port is None:
        port = _PORTS[parts.scheme]
    return Origin(parts.hostname or "", port, parts.scheme == "https", parts.netloc)


def request_start(request: UpstreamRequest) -> tuple[Origin, bytes]:
    """Where a request goes, and its request line and headers, with the empty line.

    Requests differ in their bodies more than in their heads: what is written of a head is kept.

    Raises:
        ValueError: The URL, the method or a header cannot be sent; the message repeats none of it.
    """
    headers = tuple(request.headers.items())
    length = len(request.url) + sum([len(value) for _, value in headers])
    start = _start if length <= _LONGEST_KEPT else _start_anew
    origin, head = start(request.method, request.url, headers)
    if request.body or request.method == "POST":
        return origin, b"%bcontent-length: %d\r\n\r\n" % (head, len(request.body))
    return origin, head + b"\r\n"


def _start_anew(method: str, url: str, headers: Headers) -> tuple[Origin, bytes]:
    origin, target = split_url(url)
    lines = [f"{method} {target} HTTP/1.1", f"host: {origin.authority}"]
    lines += [f"{name}: {value}" for name, value in headers]
    text = "\r\n".join(lines)
    ends = len(lines) - 1
    if text.count("\r") != ends or text.count("\n") != ends or "\0" in text:
        raise ValueError("a header has a line end or a NUL")
    if not _OURS.isdisjoint([name.lower() for name, _ in headers]):
        raise ValueError(f"the headers {sorted(_OURS)} are not the caller's to set")
    try:
        return origin, (text + "\r\n").encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError("a header has characters beyond latin-1") from None


_start: Final = lru_cache(maxsize=1024)(_start_anew)

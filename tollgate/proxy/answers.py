"""From a backend's answer to the client's: which headers pass, and what the gateway adds."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import quote

import msgspec

from tollgate.proxy.capacity import Remaining
from tollgate.proxy.deliveries import Delivery
from tollgate.proxy.messages import Answer, Headers

# Headers of an upstream's answer that speak of its connection, or of its body's form there.
_DROPPED: Final = frozenset(
    {
        "alt-svc",
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "keep-alive",
        "location",
        "proxy-authenticate",
        "proxy-connection",
        "server",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "www-authenticate",
        "x-request-id",
    }
)
_OURS: Final = "x-tollgate-"


_quoted: Final = lru_cache(maxsize=1024)(quote)


def answer_headers(delivery: Delivery) -> Headers:
    """The headers of a delivered answer: the backend's, and who it was."""
    return (
        *[
            header
            for header in delivery.headers
            if header[0] not in _DROPPED and not header[0].startswith(_OURS)
        ],
        ("x-tollgate-backend", _quoted(delivery.target.backend.name)),
        ("x-tollgate-attempts", str(delivery.attempts)),
    )


def remaining_headers(left: Remaining | None) -> Headers:
    """What is left of the capacity of the deployment that served, where that is counted."""
    if left is None:
        return ()
    counts = {"tokens": left.tokens, "requests": left.requests}
    return tuple(
        (f"x-tollgate-remaining-{what}", str(count))
        for what, count in counts.items()
        if count is not None
    )


def with_headers(answer: Answer, more: Headers) -> Answer:
    """The answer with more headers."""
    return Answer(status=answer.status, headers=(*answer.headers, *more), body=answer.body)


def json_answer(content: object) -> Answer:
    """An answer of our own."""
    headers = (("content-type", "application/json"),)
    return Answer(status=200, headers=headers, body=msgspec.json.encode(content))

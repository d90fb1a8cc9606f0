"""A request and a response on their way through the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus, urlsplit, urlunsplit

import aiohttp

Headers = list[tuple[str, str]]

# Of one connection, and not of the message; the host is the backend's own.
HOP_BY_HOP: Final = frozenset(
    {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding"}
)


def carried(headers: Mapping[str, str] | Headers) -> Headers:
    """The headers that a gateway passes on."""
    pairs = headers if isinstance(headers, list) else list(headers.items())
    return [(name, value) for name, value in pairs if name.lower() not in HOP_BY_HOP]


def first(headers: Headers, name: str) -> str | None:
    """The value of the first header of that name."""
    return next((value for each, value in headers if each.lower() == name.lower()), None)


@dataclass
class Outgoing:
    """A request that policies change before it goes out.

    Args:
        url: Absolute.
    """

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes | None = None

    def query(self) -> list[str]:
        """The pairs of the query, as they are written."""
        return [pair for pair in urlsplit(self.url).query.split("&") if pair]

    def set_query(self, pairs: list[str]) -> None:
        """Replace the query."""
        self.url = urlunsplit(urlsplit(self.url)._replace(query="&".join(pairs)))


def name_of(pair: str) -> str:
    """The name in a pair of a query."""
    return unquote_plus(pair.partition("=")[0])


@dataclass
class Reply:
    """A response that policies change before the client has it.

    Args:
        upstream: Where the body still comes from; None when `body` is all of it.
        was_held: Whether the gateway waited for the whole body of a backend.
    """

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    upstream: aiohttp.ClientResponse | None = None
    was_held: bool = False

    async def read(self) -> bytes:
        """The whole body: from now on it is held here."""
        if self.upstream is not None:
            self.was_held = True
            self.body, self.upstream = await self.upstream.read(), None
        return self.body

    def drop(self) -> None:
        """Nobody will read it."""
        if self.upstream is not None:
            self.upstream.close()
            self.upstream = None


def replaced(headers: Headers, name: str, values: list[str], action: str) -> Headers:
    """Headers after `set-header`."""
    present = first(headers, name) is not None
    if action == "skip" and present:
        return headers
    kept = headers if action == "append" else [h for h in headers if h[0].lower() != name.lower()]
    added = [] if action == "delete" else [(name, value) for value in values]
    return [*kept, *added]

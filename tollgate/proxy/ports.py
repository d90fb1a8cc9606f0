"""What the proxy needs of the world, as Protocols; the composition roots fill them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from tollgate.errors import Retryable
from tollgate.proxy.messages import Headers
from tollgate.usage.event import UsageEvent
from tollgate.usage.extraction import NOTHING_MEASURED


class BackendFailed(Retryable):
    """A backend throttled, failed, or could not be reached; another one may be asked.

    Args:
        reason: What happened, in words without secrets.
        status: The HTTP status, if it answered.
        retry_after_s: How long it asked to be left alone.
        may_have_cost: Whether the provider may bill this attempt.

    Attributes:
        measurement: What the provider said that the attempt used.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        may_have_cost: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after_s = retry_after_s
        self.may_have_cost = may_have_cost
        self.measurement = NOTHING_MEASURED


class UpstreamRequest(msgspec.Struct, frozen=True):
    """One attempt: a request to a backend."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


class UpstreamAnswer(Protocol):
    """A backend's answer whose body is still to be read; must be closed."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """Names in lower case."""
        ...

    @property
    def fields(self) -> Mapping[str, str]:
        """The same; of a repeated one the last."""
        ...

    async def read(self, max_bytes: int) -> bytes:
        """The whole body.

        Raises:
            BackendFailed: The connection broke, or the body is longer.
        """
        ...

    async def next_chunk(self) -> bytes:
        """The next bytes, empty at the end. A cancelled call loses nothing.

        Raises:
            BackendFailed: The connection broke.
        """
        ...

    def close(self) -> None:
        """Give the connection up, or back if the body was read to its end."""
        ...


class Upstream(Protocol):
    """Sends requests to backends."""

    async def send(self, request: UpstreamRequest) -> UpstreamAnswer:
        """Send once; returns when the headers are there.

        Raises:
            BackendFailed: The backend could not be reached, or broke off before its headers.
        """
        ...


class UsageSink(Protocol):
    """Where usage goes. Neither call waits for a network, and neither may lose the event."""

    def begin(self, request_id: str, event: bytes) -> None:
        """A request goes upstream: should the process die, this (unknown) event stands for it."""
        ...

    def record(self, event: UsageEvent) -> None:
        """The request is over; this is what it used."""
        ...

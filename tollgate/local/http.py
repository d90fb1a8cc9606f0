"""Serves the gateway on this machine, with the health page beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from socket import AF_INET, AF_INET6, IPPROTO_TCP, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET
from socket import socket as Socket  # noqa: N812  a type here
from typing import Final

import msgspec

from tollgate.composition import GatewayRuntime, utc_now
from tollgate.errors import SettingsError
from tollgate.intake_runtime import IntakeRuntime
from tollgate.metrics import CONTENT_TYPE
from tollgate.proxy.answers import json_answer
from tollgate.proxy.client_bounds import ConnectionBounds, Page
from tollgate.proxy.client_server import ClientServer
from tollgate.proxy.handler import Gateway
from tollgate.proxy.messages import Answer

LOOPBACK: Final = "127.0.0.1"
_HEALTH_PATH: Final = "/health"
_METRICS_PATH: Final = "/metrics"
_PATIENCE_S: Final = 5.0
_BACKLOG: Final = 2048
_DEFAULT_BOUNDS: Final = ConnectionBounds()


class LocalSite:
    """The gateway, and `/health` and `/metrics` beside it.

    Args:
        runtime: The gateway.
        intake: The ledger's side, where it runs in the same process.
    """

    def __init__(self, runtime: GatewayRuntime, intake: IntakeRuntime | None = None) -> None:
        self._runtime = runtime
        self._pages: dict[str, Page] = {_HEALTH_PATH: self._health, _METRICS_PATH: self._metrics}
        self._intake = intake

    @property
    def gateway(self) -> Gateway:
        """The gateway that serves at the moment."""
        return self._runtime.gateway

    def page(self, path: str) -> Page | None:
        """The page at a path, if it is not the gateway's."""
        return self._pages.get(path)

    async def _health(self) -> Answer:
        found = self._runtime.health
        if self._intake is not None:
            found = found.beside(await self._intake.health(utc_now()), "ledger")
        answer = json_answer(found.content())
        return msgspec.structs.replace(answer, status=found.http_status)

    async def _metrics(self) -> Answer:
        numbers = self._runtime.metrics.exposition().encode()
        return Answer(status=200, headers=(("content-type", CONTENT_TYPE),), body=numbers)


@asynccontextmanager
async def serving_gateway(
    site: LocalSite,
    port: int,
    host: str = LOOPBACK,
    bounds: ConnectionBounds = _DEFAULT_BOUNDS,
) -> AsyncGenerator[str]:
    """Serve `site`.

    Args:
        site: The gateway.
        port: 0 for any free one.
        host: The address to listen at.
        bounds: On connections.

    Yields:
        Its URL.

    Raises:
        SettingsError: The port cannot be used.
    """
    loop = asyncio.get_running_loop()
    bound = _bind(host, port)
    clients = ClientServer(site, loop, bounds)
    server = await loop.create_server(clients.connect, sock=bound, backlog=_BACKLOG)
    try:
        yield f"http://{host}:{bound.getsockname()[1]}"
    finally:
        server.close()
        await clients.end(_PATIENCE_S)
        await server.wait_closed()
        bound.close()


def _bind(host: str, port: int) -> Socket:
    # asyncio sends at once (TCP_NODELAY) only on sockets that name their protocol.
    bound = Socket(AF_INET6 if ":" in host else AF_INET, SOCK_STREAM, IPPROTO_TCP)
    bound.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        problem = f"port {port} cannot be used: {error.strerror}; choose another one with --port"
        raise SettingsError([problem]) from None
    return bound

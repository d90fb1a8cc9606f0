"""Serves the gateway on this machine with uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from socket import AF_INET, AF_INET6, IPPROTO_TCP, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET
from socket import socket as Socket  # noqa: N812  a type here
from typing import Final

import msgspec
import uvicorn

from tollgate.composition import GatewayRuntime, utc_now
from tollgate.errors import SettingsError
from tollgate.intake_runtime import IntakeRuntime
from tollgate.local.bounded_http import BoundedHttp
from tollgate.metrics import CONTENT_TYPE
from tollgate.proxy.asgi import GatewayApp, Message, Receive, Send

LOOPBACK: Final = "127.0.0.1"
_HEALTH_PATH: Final = "/health"
_METRICS_PATH: Final = "/metrics"


class LocalApp:
    """The gateway, and `/health` and `/metrics` beside it.

    Args:
        runtime: The gateway.
        intake: The ledger's side, where it runs in the same process.
    """

    def __init__(self, runtime: GatewayRuntime, intake: IntakeRuntime | None = None) -> None:
        self._runtime = runtime
        self._intake = intake
        self._gateway = GatewayApp(runtime)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"] if scope["type"] == "http" else None
        if path == _HEALTH_PATH:
            await self._health(send)
        elif path == _METRICS_PATH:
            await _answer(send, 200, CONTENT_TYPE, self._runtime.metrics.exposition().encode())
        else:
            await self._gateway(scope, receive, send)

    async def _health(self, send: Send) -> None:
        found = self._runtime.health
        if self._intake is not None:
            found = found.beside(await self._intake.health(utc_now()), "ledger")
        body = msgspec.json.encode(found.content())
        await _answer(send, found.http_status, "application/json", body)


async def _answer(send: Send, status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving_gateway(
    app: LocalApp, port: int, host: str = LOOPBACK, protocol: type[BoundedHttp] = BoundedHttp
) -> AsyncGenerator[str]:
    """Serve `app`.

    Args:
        app: The gateway.
        port: 0 for any free one.
        host: The address to listen at.
        protocol: Has the bounds on connections.

    Yields:
        Its URL.

    Raises:
        SettingsError: The port cannot be used.
    """
    bound = _bind(host, port)
    started = asyncio.Event()
    server = _Server(_config(app, protocol), started)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await started.wait()
        yield f"http://{host}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        cut_short = server.server_state.tasks  # the server cancels these, and does not wait
        if cut_short:
            await asyncio.wait(cut_short)
        bound.close()


def _config(app: LocalApp, protocol: type[BoundedHttp]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


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


class _Server(uvicorn.Server):
    """Says when it serves, and leaves signals alone: it would die of them before our clean-up."""

    def __init__(self, config: uvicorn.Config, started: asyncio.Event) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[Socket] | None = None) -> None:
        await super().startup(sockets)
        self._started.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

"""Serves aiohttp applications on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncGenerator[str]:
    """Serve `app` on a loopback port.

    Args:
        app: The application.
        port: 0 for any free one.

    Yields:
        Its URL, without a slash at the end.
    """
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        bound_port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{bound_port}"
    finally:
        await runner.cleanup()

"""`tollgate serve`: the pipeline on this machine, until Ctrl+C."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tollgate.composition import utc_now
from tollgate.errors import SettingsError
from tollgate.events.segments import try_lock
from tollgate.ledger.sealing import seal_hourly
from tollgate.local.http import LocalSite, serving_gateway
from tollgate.local.regions import CLIENT_KEYS
from tollgate.local.stack import LocalStack, local_stack
from tollgate.settings import Environment

_LOCK: Final = "serve.lock"


async def serve(environment: Environment, data: Path, port: int, *, strict: bool = False) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        environment: What is given there is used.
        data: Where everything else is kept; nobody else's for as long as this runs.
        port: The gateway's; 0 for any free one.
        strict: Refuse a Redis that is not set up to keep a ledger.

    Raises:
        SettingsError: tollgate.yaml is wrong, or the port or the data is taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with _alone(data):
        await _serve_until(stop, local_stack(environment, data, strict=strict), port)


@contextmanager
def _alone(data: Path) -> Generator[None]:
    data.mkdir(parents=True, exist_ok=True)
    lock = try_lock(data / _LOCK)
    if lock is None:
        problem = f"{data} is in use by another tollgate serve; choose another --data"
        raise SettingsError([problem])
    try:
        yield
    finally:
        os.close(lock)


async def _serve_until(
    stop: asyncio.Event, opening: AbstractAsyncContextManager[LocalStack], port: int
) -> None:
    async with opening as stack:
        app = LocalSite(stack.runtime, stack.intake)
        sealing = asyncio.create_task(seal_hourly(stack.archive, utc_now))
        try:
            async with serving_gateway(app, port) as url:
                _show(stack, url)
                await stop.wait()
        finally:
            sealing.cancel()


def _show(stack: LocalStack, url: str) -> None:
    console = Console()
    table = Table(title="Tollgate on this machine", show_header=False, title_justify="left")
    table.add_row("gateway", f"{url}/openai/v1 and {url}/openai/deployments/…")
    for region in stack.regions:
        table.add_row(f"region {region.settings.name}", f"{region.url}  (faults: /admin/faults)")
    table.add_row("Event Grid topic", stack.topic_url)
    table.add_row("ledger", f"TOLLGATE_REDIS_URL={_without_password(stack.redis_url)}")
    table.add_row("archive", str(stack.archive))
    table.add_row("journal", str(stack.journal))
    if stack.regions:
        for tenant, key in CLIENT_KEYS.items():
            table.add_row(f"key of {tenant}", key)
    console.print(table)
    console.print("Ctrl+C ends it.", highlight=False)


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"

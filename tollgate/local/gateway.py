"""`tollgate gateway`: the gateway alone, as a container or a virtual machine runs it."""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import Final

from tollgate.composition import GatewayRuntime
from tollgate.errors import SettingsError
from tollgate.local.http import LocalSite, serving_gateway
from tollgate.settings import Environment, load_settings

# New objects that bear references before Python looks for unreachable cycles; its own 700 are so
# few that a busy gateway spends a third of its time on looking.
_GARBAGE_THRESHOLD: Final = 50_000


async def serve_gateway(environment: Environment, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        environment: Names tollgate.yaml, the journal and the topic; a Redis, if instances share.
        host: The address to listen at.
        port: 0 for any free one.

    Raises:
        SettingsError: tollgate.yaml is wrong or not named, or the address cannot be used.
    """
    if environment.config is None:
        raise SettingsError(["environment: TOLLGATE_CONFIG does not name tollgate.yaml"])
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = load_settings(environment.config)
    async with (
        GatewayRuntime(settings, environment) as runtime,
        serving_gateway(LocalSite(runtime), port, host) as url,
    ):
        _settle_memory()
        print(f"gateway {settings.gateway.id} at {url}/openai/v1", flush=True)
        await stop.wait()


def _settle_memory() -> None:
    """What is here now stays: leave it out of every search for unreachable cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)

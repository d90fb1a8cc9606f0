from __future__ import annotations

import socket
from pathlib import Path

import aiohttp
import pytest

from tollgate.composition import GatewayRuntime
from tollgate.errors import SettingsError
from tollgate.local.http import LocalSite, serving_gateway
from tollgate.local.regions import local_settings
from tollgate.settings import read_environment


def _runtime(folder: Path) -> GatewayRuntime:
    settings = local_settings({"weu-1": "http://127.0.0.1:1"})
    environment = read_environment({"TOLLGATE_JOURNAL": str(folder)})
    return GatewayRuntime(settings, environment, lambda _: "key")


async def test_the_gateway_and_its_health_are_served(tmp_path: Path) -> None:
    async with (
        _runtime(tmp_path) as runtime,
        serving_gateway(LocalSite(runtime), 0) as url,
        aiohttp.ClientSession(url) as http,
    ):
        async with http.get("/health") as response:
            assert await response.json() == {
                "status": "degraded",
                "publishing": False,
                "journal_depth": 0,
                "settings_problems": 0,
            }
        async with http.post("/openai/v1/chat/completions", data=b"{}") as response:
            assert response.status == 401
        async with http.get("/health") as response:
            assert (await response.json())["journal_depth"] == 1


async def test_a_port_that_is_taken_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with _runtime(tmp_path) as runtime:
            with pytest.raises(
                SettingsError,
                match=f"port {port} cannot be used: Address already in use; .* --port",
            ):
                async with serving_gateway(LocalSite(runtime), port):
                    pass

from __future__ import annotations

import socket
from pathlib import Path

import aiohttp
import pytest

from tollgate.composition import GatewayRuntime
from tollgate.errors import SettingsError
from tollgate.intake_runtime import IntakeRuntime
from tollgate.local.http import LocalSite, serving_gateway
from tollgate.local.regions import local_settings
from tollgate.settings import read_environment
from tollgate.settings_sections import JournalSettings

pytest_plugins = ["servers"]


def _runtime(folder: Path, max_bytes: int = 2**30) -> GatewayRuntime:
    settings = local_settings({"weu-1": "http://127.0.0.1:1"})
    bound = JournalSettings(max_bytes=max_bytes)
    settings = settings.model_copy(update={"journal": bound})
    environment = read_environment({"TOLLGATE_JOURNAL": str(folder)})
    return GatewayRuntime(settings, environment, lambda _: "key")


async def test_the_gateway_and_its_health_are_served(tmp_path: Path) -> None:
    async with (
        _runtime(tmp_path) as runtime,
        serving_gateway(LocalSite(runtime), 0) as url,
        aiohttp.ClientSession(url) as http,
    ):
        async with http.get("/health") as response:
            content = await response.json()
            assert (content["status"], content["journal_depth"]) == ("degraded", 0)
            assert "ledger" not in content
        async with http.post("/openai/v1/chat/completions", data=b"{}") as response:
            assert response.status == 401
        async with http.get("/health") as response:
            assert (await response.json())["journal_depth"] == 1


async def test_its_numbers_are_served_as_prometheus_reads_them(tmp_path: Path) -> None:
    async with (
        _runtime(tmp_path) as runtime,
        serving_gateway(LocalSite(runtime), 0) as url,
        aiohttp.ClientSession(url) as http,
        http.get("/metrics") as response,
    ):
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "\ntollgate_journal_events 0\n" in await response.text()


async def test_a_gateway_that_refuses_calls_is_failing_with_503(tmp_path: Path) -> None:
    async with (
        _runtime(tmp_path, max_bytes=1) as runtime,
        serving_gateway(LocalSite(runtime), 0) as url,
        aiohttp.ClientSession(url) as http,
    ):
        async with http.get("/health") as response:
            assert response.status == 503
            assert "new calls are refused" in str((await response.json())["reasons"])
        call = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
        key = {"api-key": "contoso-local-key"}
        async with http.post("/openai/v1/chat/completions", json=call, headers=key) as response:
            assert response.status == 503
            assert (await response.json())["error"]["code"] == "journal_unavailable"


async def test_the_ledger_stands_beside_the_gateway_where_it_is_in_the_process(
    tmp_path: Path, redis_server: str
) -> None:
    environment = read_environment({"TOLLGATE_REDIS_URL": redis_server})
    async with (
        _runtime(tmp_path) as runtime,
        IntakeRuntime(environment) as intake,
        serving_gateway(LocalSite(runtime, intake), 0) as url,
        aiohttp.ClientSession(url) as http,
        http.get("/health") as response,
    ):
        content = await response.json()
        assert content["ledger"]["memory_used_bytes"] > 0
        assert any("appendonly is no" in reason for reason in content["reasons"])


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

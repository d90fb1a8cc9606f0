"""The functions as the worker runs them: settings from the environment, HTTP through its server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest
import uvicorn
from azurefunctions.extensions.http.fastapi import Request, Response, WebApp
from builders import NOON
from counts import emptied
from topics import PATH, TOPIC_KEY, Topic

from tollgate.functions import gateway, health, usage_webhook
from tollgate.functions.runtime import shared
from tollgate.local.servers import serving
from tollgate.local.simulator import RegionSettings, SimulatedDeployment, SimulatedRegion

KEY = "contoso-key"
BACKEND_KEY = "backend-key"
CONFIG = """
gateway: {{id: gw-functions}}
backends:
  - name: weu-1
    url: {url}/openai
    region: westeurope
    auth: env:WEU_KEY
    deployments: {{mini: {{name: mini, model: gpt-4o-mini, version: "2024-07-18"}}}}
tenants:
  - {{name: contoso, keys: ["sha256:{digest}"], billing_codes: [CC-1001]}}
relay: {{max_request_bytes: 10000}}
"""


@pytest.fixture
async def opened() -> AsyncIterator[None]:
    """Whatever a test opens is closed on its loop."""
    yield
    await shared.close()


@pytest.fixture
async def region() -> AsyncGenerator[SimulatedRegion]:
    deployments = {"mini": SimulatedDeployment(model="gpt-4o-mini", version="2024-07-18")}
    settings = RegionSettings(
        name="weu-1", region="westeurope", keys=(BACKEND_KEY,), deployments=deployments
    )
    region = SimulatedRegion(settings, lambda: NOON)
    async with region.listening():
        yield region


@pytest.fixture
async def topic() -> Topic:
    return Topic()


@pytest.fixture
async def environment(
    region: SimulatedRegion,
    topic: Topic,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Path]:
    """App settings as in Azure; gives the settings file."""
    config = tmp_path / "tollgate.yaml"
    digest = sha256(KEY.encode()).hexdigest()
    config.write_text(CONFIG.format(url=region.url, digest=digest))
    async with serving(topic.app) as topic_url:
        monkeypatch.setenv("TOLLGATE_CONFIG", str(config))
        monkeypatch.setenv("TOLLGATE_JOURNAL", str(tmp_path / "journal"))
        monkeypatch.setenv("EVENTGRID_TOPIC_ENDPOINT", topic_url + PATH)
        monkeypatch.setenv("EVENTGRID_TOPIC_KEY", TOPIC_KEY)
        monkeypatch.setenv("WEU_KEY", BACKEND_KEY)
        yield config
        await shared.close()


@pytest.fixture
async def http() -> AsyncGenerator[aiohttp.ClientSession]:
    """A client of the worker's web server, with every HTTP function behind it."""
    web = WebApp()

    async def catch_all(req: Request) -> Response:
        if req.url.path.startswith("/openai/"):
            return await gateway.gateway_openai(req)
        if req.url.path.startswith("/v1/"):
            return await gateway.gateway_v1(req)
        if req.url.path == "/usage-events":
            return await usage_webhook.usage_webhook(req)
        return await health.health(req)

    web.route(catch_all)  # pyright: ignore[reportUnknownMemberType]  untyped there
    config = uvicorn.Config(web.get_app(), port=0, log_level="critical")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    task = asyncio.create_task(server.serve(sockets=[socket]))
    while not server.started:  # noqa: ASYNC110  it has no event to wait for
        await asyncio.sleep(0.001)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{socket.getsockname()[1]}") as session:
        yield session
    await shared.close()
    server.should_exit = True
    await task
    socket.close()


@pytest.fixture
async def redis_url(redis_server: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    """An empty ledger, named in the environment."""
    url = emptied(f"{redis_server}/12")
    monkeypatch.setenv("TOLLGATE_REDIS_URL", url)
    yield url
    await shared.close()

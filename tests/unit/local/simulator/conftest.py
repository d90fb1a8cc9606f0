"""A region that listens, and clients of it."""

import json
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from tollgate.local.simulator import RegionSettings, SimulatedDeployment, SimulatedRegion
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.identifiers import Identifiers

KEY = "k-123456"
NOW = datetime(2026, 10, 31, 23, 59, 30, tzinfo=UTC)


@pytest.fixture
def settings() -> RegionSettings:
    mini = SimulatedDeployment(model="gpt-4o-mini", version="2024-07-18")
    return RegionSettings(
        name="weu-1",
        region="westeurope",
        keys=(KEY, "k-second"),
        deployments={
            "mini": mini,
            "small": mini.model_copy(update={"tokens_per_minute": 1000}),
            "spilling": mini.model_copy(update={"tokens_per_minute": 100, "spillover": "mini"}),
            "thinker": SimulatedDeployment(model="o3-mini", version="2025-01-31"),
            "vectors": SimulatedDeployment(
                model="text-embedding-3-small", version="1", dimensions=64
            ),
            "painter": SimulatedDeployment(model="gpt-image-1", version="2025-04-15"),
            "dalle": SimulatedDeployment(model="dall-e-3", version="3.0"),
            "scribe": SimulatedDeployment(model="gpt-4o-transcribe", version="2025-03-20"),
            "whisper": SimulatedDeployment(model="whisper", version="001"),
            "voice": SimulatedDeployment(model="gpt-4o-mini-tts", version="2025-03-20"),
            "tts": SimulatedDeployment(model="tts", version="001"),
        },
    )


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOW


@pytest.fixture
async def region(
    settings: RegionSettings, clock: Callable[[], datetime]
) -> AsyncGenerator[SimulatedRegion]:
    region = SimulatedRegion(settings, clock)
    async with region.listening():
        yield region


@pytest.fixture
async def http(region: SimulatedRegion) -> AsyncGenerator[aiohttp.ClientSession]:
    """Plain HTTP with the region's key."""
    async with aiohttp.ClientSession(region.url, headers={"api-key": KEY}) as session:
        yield session


@pytest.fixture
async def v1(region: SimulatedRegion) -> AsyncGenerator[AsyncOpenAI]:
    """The SDK on the v1 API."""
    base_url = f"{region.url}/openai/v1/"
    async with AsyncOpenAI(base_url=base_url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
async def dated(region: SimulatedRegion) -> AsyncGenerator[AsyncAzureOpenAI]:
    """The SDK on the dated API."""
    async with AsyncAzureOpenAI(
        azure_endpoint=region.url, api_version="2024-10-21", api_key=KEY, max_retries=0
    ) as client:
        yield client


@pytest.fixture
def envelope() -> Envelope:
    return Envelope(Identifiers("weu-1/1"), 1_793_000_000, "gpt-4o-mini-2024-07-18")


@pytest.fixture
def mini(settings: RegionSettings) -> SimulatedDeployment:
    return settings.deployments["mini"]


@pytest.fixture
def thinker(settings: RegionSettings) -> SimulatedDeployment:
    return settings.deployments["thinker"]


def decoded(stream: bytes) -> list[dict[str, Any]]:
    """The decoded `data:` of every event, without `[DONE]`."""
    lines = [line for line in stream.split(b"\n") if line.startswith(b"data: {")]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


class Api:
    """Plain calls of one region."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def post(self, path: str, /, **body: object) -> tuple[int, Any]:
        """Status and decoded JSON of a POST."""
        async with self.session.post(path, json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and decoded JSON of a GET."""
        async with self.session.get(path) as answer:
            return answer.status, await answer.json()

    async def form(
        self, path: str, *, field: str = "file", size_bytes: int = 20_000, **fields: str
    ) -> aiohttp.ClientResponse:
        """The whole answer to a form with one file, of zeros, and text fields."""
        form = aiohttp.FormData()
        form.add_field(field, b"\0" * size_bytes, filename="a.bin")
        for name, value in fields.items():
            form.add_field(name, value)
        async with self.session.post(path, data=form) as answer:
            await answer.read()
            return answer

    async def events(self, path: str, **body: object) -> list[dict[str, Any]]:
        """The decoded `data:` of every event of a stream."""
        async with self.session.post(path, json=body) as answer:
            return decoded(await answer.read())

    async def chat(self, deployment: str = "mini", **body: object) -> tuple[int, Any]:
        """A short chat on the v1 API."""
        messages = [{"role": "user", "content": "hello"}]
        return await self.post(
            "/openai/v1/chat/completions", **{"model": deployment, "messages": messages, **body}
        )

    async def stream(self, **body: object) -> AsyncGenerator[bytes]:
        """The bytes of a short chat's stream, as they arrive."""
        messages = [{"role": "user", "content": "hello"}]
        sent = {"model": "mini", "messages": messages, "stream": True, **body}
        async with self.session.post("/openai/v1/chat/completions", json=sent) as answer:
            async for data in answer.content.iter_any():
                yield data


@pytest.fixture
def api(http: aiohttp.ClientSession) -> Api:
    return Api(http)

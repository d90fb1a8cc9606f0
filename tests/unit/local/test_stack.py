from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from counts import emptied, requests_counted

from tollgate.composition import utc_now
from tollgate.errors import SettingsError
from tollgate.local.http import LocalSite, serving_gateway
from tollgate.local.regions import CLIENT_KEYS
from tollgate.local.stack import LocalStack, local_stack
from tollgate.settings import Environment, read_environment
from tollgate.usage.periods import Month

pytest_plugins = ["servers"]

HEADERS = {"api-key": CLIENT_KEYS["contoso"]}
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
PATIENCE_S = 10


@pytest.fixture
def environment(redis_server: str) -> Environment:
    return read_environment({"TOLLGATE_REDIS_URL": emptied(f"{redis_server}/9")})


async def _call(stack: LocalStack) -> None:
    app = LocalSite(stack.runtime)
    async with (
        serving_gateway(app, 0) as url,
        aiohttp.ClientSession(url, headers=HEADERS) as http,
        http.post("/openai/v1/chat/completions", json=BODY) as response,
    ):
        assert response.status == 200


async def _counted(redis_url: str) -> int:
    now = utc_now()
    return await asyncio.to_thread(requests_counted, redis_url, Month(now.year, now.month))


async def test_a_call_is_counted_and_everything_lies_in_the_data_folder(
    environment: Environment, tmp_path: Path
) -> None:
    async with local_stack(environment, tmp_path) as stack:
        assert [region.settings.region for region in stack.regions] == [
            "westeurope",
            "northeurope",
            "swedencentral",
        ]
        await _call(stack)
        async with asyncio.timeout(PATIENCE_S):
            while not await _counted(stack.redis_url):  # noqa: ASYNC110  another process counts
                await asyncio.sleep(0.01)
        assert await _counted(stack.redis_url) == 1
        assert {stack.journal.parent, stack.archive.parent} == {tmp_path}
        assert len(await asyncio.to_thread(list, stack.archive.rglob("*.jsonl"))) == 1


async def test_what_is_not_counted_when_it_ends_is_counted_when_it_starts_again(
    environment: Environment, tmp_path: Path
) -> None:
    for _ in range(3):
        async with local_stack(environment, tmp_path) as stack:
            await _call(stack)
    async with local_stack(environment, tmp_path) as stack, asyncio.timeout(PATIENCE_S):
        while await _counted(stack.redis_url) < 3:  # noqa: ASYNC110  same
            await asyncio.sleep(0.01)
    assert await _counted(stack.redis_url) == 3


async def test_a_tollgate_yaml_that_is_named_stands_for_the_simulated_regions(
    environment: Environment, tmp_path: Path
) -> None:
    config = Path(__file__).parents[3] / "tollgate.sample.yaml"
    environment = environment.model_copy(update={"config": config})
    async with local_stack(environment, tmp_path) as stack:
        assert stack.regions == []
        assert stack.settings.gateway.id == "gw-weu"


async def test_a_tollgate_yaml_that_is_wrong_is_told(
    environment: Environment, tmp_path: Path
) -> None:
    environment = environment.model_copy(update={"config": tmp_path / "t.yaml"})
    with pytest.raises(SettingsError, match="cannot be read"):
        async with local_stack(environment, tmp_path):
            pass


async def test_without_a_redis_one_is_started(tmp_path: Path) -> None:
    async with local_stack(read_environment({}), tmp_path) as stack:
        assert await _counted(stack.redis_url) == 0
        assert await asyncio.to_thread((tmp_path / "redis").is_dir)

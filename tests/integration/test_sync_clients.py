"""The synchronous SDK, in threads, works at the gateway as the asynchronous one does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from serving import MINI, VECTORS, World, world

from tollgate.local.simulator.faults import Throttle

pytestmark = pytest.mark.integration

SAY_HI: Any = [{"role": "user", "content": "Say hi in 20 words"}]
SURFACES = pytest.mark.parametrize("surface", ["v1", "azure"])


@pytest.fixture
async def here() -> AsyncGenerator[World]:
    async with world() as started:
        yield started


def client_of(here: World, surface: str) -> openai.OpenAI:
    return here.v1_sync() if surface == "v1" else here.azure_sync("2025-04-01-preview")


def use_everything(client: openai.OpenAI) -> list[int]:
    """The output tokens that the answers state."""
    with client:
        chat = client.chat.completions.create(model=MINI, messages=SAY_HI)
        stream = client.chat.completions.create(
            model=MINI, messages=SAY_HI, stream=True, stream_options={"include_usage": True}
        )
        last = list(stream)[-1]
        vectors = client.embeddings.create(model=VECTORS, input=["a"])
        response = client.responses.create(model=MINI, input="Say hi in 20 words")
        again = client.responses.retrieve(response.id)
        assert again.output_text == response.output_text
        assert len(vectors.data) == 1
        assert chat.usage
        assert last.usage
        assert response.usage
        usages = [chat.usage.completion_tokens, last.usage.completion_tokens]
        return [*usages, response.usage.output_tokens]


@SURFACES
async def test_a_synchronous_client_is_served_and_counted(here: World, surface: str) -> None:
    stated = await asyncio.to_thread(use_everything, client_of(here, surface))
    assert stated == [20, 20, 20]
    events = await here.events(5)
    apis = [each.data.api for each in events]
    assert apis == [
        "chat.completions",
        "chat.completions",
        "embeddings",
        "responses",
        "responses.retrieve",
    ]
    counts = [each.data.tokens for each in events if each.data.tokens]
    assert {
        "input": sum(tokens.input for tokens in counts),
        "output": sum(tokens.output for tokens in counts),
    } == here.billed()


@SURFACES
async def test_threads_do_not_get_into_each_others_way(here: World, surface: str) -> None:
    def ask(words: int) -> int:
        with client_of(here, surface) as client:
            made = client.chat.completions.create(
                model=MINI, messages=[{"role": "user", "content": f"Say hi in {words} words"}]
            )
        assert made.usage
        return made.usage.completion_tokens

    asked, loop = range(5, 25), asyncio.get_running_loop()
    # Not the loop's own threads: the gateway, which runs here as well, looks up names in them.
    with ThreadPoolExecutor(len(asked)) as threads:
        said = await asyncio.gather(*(loop.run_in_executor(threads, ask, each) for each in asked))
    assert said == list(asked)
    events = await here.events(len(asked))
    assert sorted(each.data.tokens.output for each in events if each.data.tokens) == said


async def test_a_throttled_region_is_not_seen(here: World) -> None:
    here.fault(Throttle())

    def ask() -> str:
        with here.v1_sync() as client:
            made = client.chat.completions.with_raw_response.create(model=MINI, messages=SAY_HI)
            return str(made.headers["x-tollgate-backend"])

    assert await asyncio.to_thread(ask) == "neu-1"
    assert (await here.event()).data.attempts == 2

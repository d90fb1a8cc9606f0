"""LangChain works at the gateway as it does at Azure OpenAI, and each call is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import openai
import pytest
from langchain_core.language_models import LanguageModelInput
from langchain_openai import AzureChatOpenAI, AzureOpenAIEmbeddings
from proxying import KEY
from pydantic import SecretStr
from serving import BILLED, MINI, VECTORS, World, world

pytestmark = pytest.mark.integration

VERSION = "2024-10-21"


@pytest.fixture
async def here() -> AsyncGenerator[World]:
    async with world() as started:
        yield started


@asynccontextmanager
async def chat(here: World, *, usage_in_streams: bool = False) -> AsyncGenerator[AzureChatOpenAI]:
    model = AzureChatOpenAI(
        azure_endpoint=here.url,
        api_version=VERSION,
        api_key=SecretStr(KEY),
        azure_deployment=MINI,
        default_query=BILLED,
        stream_usage=usage_in_streams,
        max_retries=0,
    )
    try:
        yield model
    finally:  # LangChain itself never closes them
        model.root_client.close()
        await model.root_async_client.close()


async def assert_counted(here: World, provenance: str, calls: int = 1) -> None:
    events = await here.events(calls)
    kept = {(each.data.provenance, each.data.billing_code, each.data.user) for each in events}
    assert kept == {(provenance, "CC-1001", "alice")}
    counts = [each.data.tokens for each in events if each.data.tokens]
    assert {
        "input": sum(tokens.input for tokens in counts),
        "output": sum(tokens.output for tokens in counts),
    } == here.billed()


async def test_a_chat_is_invoked(here: World) -> None:
    async with chat(here) as model:
        said = await asyncio.to_thread(model.invoke, "Say hi in 20 words")
    assert said.usage_metadata
    assert said.usage_metadata["output_tokens"] == here.billed()["output"] == 20
    assert said.text
    await assert_counted(here, "measured")


async def test_a_chat_is_streamed(here: World) -> None:
    async with chat(here) as model:
        chunks = await asyncio.to_thread(lambda: list(model.stream("Say hi in 20 words")))
    assert "".join(chunk.text for chunk in chunks)
    assert all(chunk.usage_metadata is None for chunk in chunks)
    await assert_counted(here, "injected")


async def test_a_chat_is_streamed_with_usage(here: World) -> None:
    async with chat(here, usage_in_streams=True) as model:
        chunks = [chunk async for chunk in model.astream("Say hi in 20 words")]
    stated = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert sum(usage["output_tokens"] for usage in stated) == 20
    await assert_counted(here, "measured")


async def test_chats_are_asked_in_a_batch(here: World) -> None:
    asked: list[LanguageModelInput] = [f"Say hi in {words} words" for words in (5, 10, 15, 20)]
    async with chat(here) as model:
        said = await asyncio.to_thread(model.batch, asked)
    assert len(said) == 4
    assert here.billed()["output"] == 50
    await assert_counted(here, "measured", calls=4)


async def test_texts_are_embedded(here: World) -> None:
    with openai.DefaultHttpxClient() as http:  # LangChain would never close its own
        embedding = AzureOpenAIEmbeddings(
            azure_endpoint=here.url,
            api_version=VERSION,
            api_key=SecretStr(KEY),
            azure_deployment=VECTORS,
            default_query=BILLED,
            check_embedding_ctx_length=False,  # it would want the tokenizer's vocabulary
            max_retries=0,
            http_client=http,
        )
        found = await asyncio.to_thread(embedding.embed_documents, ["one", "two"])
    assert [len(vector) for vector in found] == [8, 8]
    await assert_counted(here, "measured")

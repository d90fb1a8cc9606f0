"""A client sees at the gateway what it sees at Azure OpenAI, whatever it asks."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel
from serving import VECTORS, World
from twins import Case, Shape, assert_counted_as_billed, seen_by_both

pytest_plugins = ["twins"]
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hi in 20 words"}]
LONG: list[ChatCompletionMessageParam] = [{"role": "user", "content": "account " * 3000}]
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
FLAT_TOOL: Any = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": True}


class City(BaseModel):
    """What an answer is parsed into."""

    city: str


def chat(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        made = await client.chat.completions.create(model=model, **{"messages": HI, **options})
        return [chunk async for chunk in made] if options.get("stream") else made

    return ask


def completions(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        made = await client.completions.create(model=model, **options)
        return [chunk async for chunk in made] if options.get("stream") else made

    return ask


def embeddings(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        return await client.embeddings.create(model=model, **options)

    return ask


def responses(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        made = await client.responses.create(model=model, **{"input": "Say hi", **options})
        return [event async for event in made] if options.get("stream") else made

    return ask


async def helper_stream(client: Any, model: str) -> Any:
    async with client.chat.completions.stream(model=model, messages=HI) as stream:
        kinds = [event.type async for event in stream]
        return [kinds, await stream.get_final_completion()]


async def chat_parse(client: Any, model: str) -> Any:
    return await client.chat.completions.parse(model=model, messages=HI, response_format=City)


async def responses_parse(client: Any, model: str) -> Any:
    made = await client.responses.parse(model=model, input="Hi", text_format=City)
    assert isinstance(made.output_parsed, City)
    return made


async def responses_helper_stream(client: Any, model: str) -> Any:
    async with client.responses.stream(model=model, input="Hi") as stream:
        kinds = [event.type async for event in stream]
        return [kinds, await stream.get_final_response()]


CHAT, RESPONSES = "chat.completions", "responses"
WITH_USAGE: Any = {"stream": True, "stream_options": {"include_usage": True}}
BY_NAME: Any = {"type": "function", "function": {"name": "weather"}}
CASES = {
    "chat": Case(chat(), CHAT),
    "chat with four choices": Case(chat(n=4), CHAT),
    "chat with a long prompt that is cached": Case(chat(messages=LONG), CHAT),
    "chat that reasons": Case(chat(), CHAT, model="o4-mini"),
    "chat that speaks": Case(
        chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}), CHAT
    ),
    "chat that calls a tool": Case(chat(tools=[TOOL], tool_choice="required"), CHAT),
    "chat that calls a named tool": Case(chat(tools=[TOOL], tool_choice=BY_NAME), CHAT),
    "chat that is cut": Case(chat(max_tokens=5), CHAT),
    "chat that is parsed": Case(chat_parse, CHAT),
    "stream": Case(chat(stream=True), CHAT, "injected", streamed=True),
    "stream with usage": Case(chat(**WITH_USAGE), CHAT, streamed=True),
    "stream with three choices": Case(chat(n=3, stream=True), CHAT, "injected", streamed=True),
    "stream that calls a tool": Case(
        chat(stream=True, tools=[TOOL], tool_choice="required"), CHAT, "injected", streamed=True
    ),
    "stream that reasons": Case(chat(**WITH_USAGE), CHAT, streamed=True, model="o4-mini"),
    "stream of a cached prompt": Case(chat(messages=LONG, **WITH_USAGE), CHAT, streamed=True),
    "stream through the SDK's helper": Case(helper_stream, CHAT, "injected", streamed=True),
    "completions of two prompts": Case(completions(prompt=["One", "Two"], n=2), "completions"),
    "completions streamed": Case(
        completions(prompt="One", stream=True), "completions", "injected", streamed=True
    ),
    "embeddings": Case(embeddings(input=["one", "two"]), "embeddings", model=VECTORS),
    "embeddings as floats": Case(
        embeddings(input="one", dimensions=4, encoding_format="float"), "embeddings", model=VECTORS
    ),
    "embeddings of token ids": Case(embeddings(input=[[1, 2, 3]]), "embeddings", model=VECTORS),
    "response": Case(responses(), RESPONSES),
    "response that reasons": Case(responses(), RESPONSES, model="o4-mini"),
    "response to items": Case(
        responses(input=[{"role": "user", "content": "Hi"}], instructions="Be brief"), RESPONSES
    ),
    "response that is incomplete": Case(
        responses(max_output_tokens=16, input="9 " * 50), RESPONSES
    ),
    "response that is not stored": Case(responses(store=False), RESPONSES),
    "response that calls a tool": Case(
        responses(tools=[FLAT_TOOL], tool_choice="required"), RESPONSES
    ),
    "response that is parsed": Case(responses_parse, RESPONSES),
    "response streamed": Case(responses(stream=True), RESPONSES, streamed=True),
    "response streamed and cut": Case(
        responses(stream=True, max_output_tokens=16, input="90 words"), RESPONSES, streamed=True
    ),
    "response through the SDK's helper": Case(responses_helper_stream, RESPONSES, streamed=True),
}


@pytest.mark.parametrize("version", ["v1", "2025-04-01-preview"])
@pytest.mark.parametrize("name", CASES)
async def test_a_client_sees_what_azure_answers(here: World, name: str, version: str) -> None:
    case = CASES[name]
    ours, theirs = await seen_by_both(here, case.shape, case.model, version)
    assert ours == theirs
    await assert_counted_as_billed(here, case)

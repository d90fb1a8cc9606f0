"""The official SDK works against a region, on both APIs."""

import asyncio
from typing import cast

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageParam,
)
from pydantic import BaseModel

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.faults import ErrorMidStream, Throttle

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Invoice(BaseModel):
    """A structured answer."""

    number: int
    payer: str


async def test_chat_on_v1(v1: AsyncOpenAI) -> None:
    answer = await v1.chat.completions.create(model="mini", messages=MESSAGES, max_tokens=5, n=2)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 10
    assert answer.model_extra is not None
    assert answer.model_extra["prompt_filter_results"]


async def test_chat_on_the_dated_api(dated: AsyncAzureOpenAI) -> None:
    answer = await dated.chat.completions.create(model="mini", messages=MESSAGES)
    assert answer.choices[0].message.content


async def test_chat_of_a_reasoning_model(v1: AsyncOpenAI) -> None:
    answer = await v1.chat.completions.create(model="thinker", messages=MESSAGES)
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 128


async def test_chat_stream_ends_with_usage(dated: AsyncAzureOpenAI) -> None:
    stream = await dated.chat.completions.create(
        model="mini", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    *_, last = [chunk async for chunk in stream]
    assert last.usage is not None
    assert last.choices == []


async def test_demanded_tool_is_called(v1: AsyncOpenAI) -> None:
    answer = await v1.chat.completions.create(
        model="mini", messages=MESSAGES, tools=[TOOL], tool_choice="required"
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.tool_calls


async def test_structured_answer_parses(v1: AsyncOpenAI) -> None:
    answer = await v1.chat.completions.parse(
        model="mini", messages=MESSAGES, response_format=Invoice
    )
    assert isinstance(answer.choices[0].message.parsed, Invoice)


async def test_completions(dated: AsyncAzureOpenAI) -> None:
    answer = await dated.completions.create(model="mini", prompt=["a", "b"], max_tokens=3)
    assert [choice.finish_reason for choice in answer.choices] == ["length", "length"]


@pytest.mark.parametrize("encoding", ["float", "base64", None])
async def test_embeddings(v1: AsyncOpenAI, encoding: str | None) -> None:
    answer = await v1.embeddings.create(
        model="vectors",
        input=["a", "b"],
        encoding_format="float" if encoding == "float" else "base64" if encoding else openai.omit,
    )
    assert answer.usage.total_tokens == 2
    size = 64 if encoding != "base64" else len(cast("str", answer.data[0].embedding))
    assert len(answer.data[1].embedding) == size


async def test_responses(v1: AsyncOpenAI) -> None:
    answer = await v1.responses.create(model="mini", input="hello")
    assert (answer.status, bool(answer.output_text)) == ("completed", True)
    assert (await v1.responses.retrieve(answer.id)).output_text == answer.output_text


async def test_small_limit_leaves_a_response_incomplete(v1: AsyncOpenAI) -> None:
    answer = await v1.responses.create(model="mini", input="hello", max_output_tokens=2)
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


async def test_responses_stream_ends_with_usage(v1: AsyncOpenAI) -> None:
    stream = await v1.responses.create(model="mini", input="hello", stream=True)
    *_, last = [event async for event in stream]
    assert last.type == "response.completed"
    assert last.response.usage is not None


async def test_responses_parse_a_structured_answer(v1: AsyncOpenAI) -> None:
    answer = await v1.responses.parse(model="mini", input="hello", text_format=Invoice)
    assert isinstance(answer.output_parsed, Invoice)


async def test_throttling_is_a_rate_limit_error(v1: AsyncOpenAI, region: SimulatedRegion) -> None:
    region.faults.add(Throttle(retry_after_s=7))
    with pytest.raises(openai.RateLimitError) as limited:
        await v1.chat.completions.create(model="mini", messages=MESSAGES)
    assert limited.value.response.headers["retry-after"] == "7"


async def test_wrong_key_is_an_authentication_error(region: SimulatedRegion) -> None:
    async with AsyncOpenAI(base_url=f"{region.url}/openai/v1/", api_key="no") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()


async def test_error_frame_is_an_api_error(v1: AsyncOpenAI, region: SimulatedRegion) -> None:
    region.faults.add(ErrorMidStream())
    stream = await v1.chat.completions.create(model="mini", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIError):
        async for _ in stream:
            pass


async def test_blocking_clients_work_too(region: SimulatedRegion) -> None:
    def models_answering() -> list[str]:
        base_url = f"{region.url}/openai/v1/"
        with (
            OpenAI(base_url=base_url, api_key="k-second") as v1,
            AzureOpenAI(
                azure_endpoint=region.url, api_version="2024-10-21", api_key="k-second"
            ) as dated,
        ):
            chats = [
                client.chat.completions.create(model="mini", messages=MESSAGES)
                for client in (v1, dated)
            ]
            return [chat.model for chat in chats]

    assert await asyncio.to_thread(models_answering) == ["gpt-4o-mini-2024-07-18"] * 2

"""The openai SDK works at the gateway as it does at Azure OpenAI, and each call is counted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import msgspec
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam
from proxying import KEY
from serving import MINI, VECTORS, World, world

from tollgate.usage.tokens import NO_TOKENS

SAY_HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hi in 40 words"}]
ASKED: Any = {"include_usage": True}

pytestmark = pytest.mark.integration


@pytest.fixture
async def here() -> AsyncGenerator[World]:
    async with world() as started:
        yield started


async def assert_counted(here: World, provenance: str, api: str, *, streamed: bool) -> None:
    event = await here.event()
    data = event.data
    assert (data.provenance, data.api, data.streamed) == (provenance, api, streamed)
    assert data.tokens is not None
    assert {"input": data.tokens.input, "output": data.tokens.output} == here.billed()
    assert (data.tenant, data.billing_code, data.user) == ("contoso", "CC-1001", "alice")
    assert (data.backend, data.region, data.attempts) == ("weu-1", "westeurope", 1)
    assert (data.status, data.cancelled, data.delivered) == (200, False, True)


@pytest.mark.parametrize("surface", ["azure", "v1"])
async def test_a_chat_completion_is_measured(here: World, surface: str) -> None:
    async with here.azure() if surface == "azure" else here.v1() as client:
        made = await client.chat.completions.create(model=MINI, messages=SAY_HI)
    assert made.usage
    assert made.usage.completion_tokens == here.billed()["output"] == 40
    await assert_counted(here, "measured", "chat.completions", streamed=False)
    data = here.sink.only.data
    assert (data.model, data.model_version, data.deployment) == (MINI, "2024-07-18", "mini-here")


async def test_v1_without_openai_before_it_is_served(here: World) -> None:
    async with here.v1(path="/v1") as client:
        await client.embeddings.create(model=VECTORS, input=["a", "b"])
    await assert_counted(here, "measured", "embeddings", streamed=False)


async def test_the_synchronous_client_works_alike(here: World) -> None:
    with OpenAI(base_url=f"{here.url}/v1", api_key=KEY, max_retries=0) as client:
        stream = await asyncio.to_thread(
            client.chat.completions.create, model=MINI, messages=SAY_HI, stream=True
        )
        chunks = await asyncio.to_thread(list, stream)
    assert chunks
    assert (await here.event()).data.billing_code is None


@pytest.mark.parametrize("surface", ["azure", "v1"])
async def test_a_stream_whose_usage_nobody_asked_for_is_counted(here: World, surface: str) -> None:
    async with here.azure() if surface == "azure" else here.v1() as client:
        stream = await client.chat.completions.create(model=MINI, messages=SAY_HI, stream=True)
        chunks = [chunk async for chunk in stream]
    assert all(chunk.usage is None for chunk in chunks)
    assert [chunk for chunk in chunks if not chunk.choices] == chunks[:1]  # Azure's first one
    await assert_counted(here, "injected", "chat.completions", streamed=True)


async def test_a_stream_whose_usage_was_asked_for_has_it(here: World) -> None:
    async with here.v1() as client:
        stream = await client.chat.completions.create(
            model=MINI, messages=SAY_HI, stream=True, stream_options=ASKED
        )
        last = [chunk async for chunk in stream][-1]
    assert last.usage
    assert (last.choices, last.usage.completion_tokens) == ([], 40)
    await assert_counted(here, "measured", "chat.completions", streamed=True)


async def test_an_api_version_that_knows_no_usage_in_streams_is_estimated(here: World) -> None:
    async with here.azure(version="2024-02-01") as client:
        stream = await client.chat.completions.create(model=MINI, messages=SAY_HI, stream=True)
        assert [chunk async for chunk in stream]
    assert (await here.event()).data.provenance == "estimated"


@pytest.mark.parametrize("streamed", [False, True])
async def test_completions_are_counted(here: World, streamed: bool) -> None:  # noqa: FBT001  a case
    async with here.azure() as client:
        made = await client.completions.create(model=MINI, prompt="Hi", stream=streamed)
        assert not isinstance(made, openai.AsyncStream) or [chunk async for chunk in made]
    provenance = "injected" if streamed else "measured"
    await assert_counted(here, provenance, "completions", streamed=streamed)


async def test_embeddings_are_counted(here: World) -> None:
    async with here.azure() as client:
        made = await client.embeddings.create(model=VECTORS, input=["one", "two"])
    assert len(made.data) == 2
    await assert_counted(here, "measured", "embeddings", streamed=False)
    assert here.sink.only.data.model == VECTORS


@pytest.mark.parametrize("surface", ["azure", "v1"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_responses_are_counted(here: World, surface: str, streamed: bool) -> None:  # noqa: FBT001  a case
    async with here.azure("2025-04-01-preview") if surface == "azure" else here.v1() as client:
        made = await client.responses.create(model=MINI, input="Say hi", stream=streamed)
        if isinstance(made, openai.AsyncStream):
            assert [event.type async for event in made][-1] == "response.completed"
    await assert_counted(here, "measured", "responses", streamed=streamed)


async def test_who_leaves_a_stream_is_counted_exactly(here: World) -> None:
    async with here.v1() as client:
        stream = await client.chat.completions.create(
            model=MINI, messages=[{"role": "user", "content": "Write 3000 words"}], stream=True
        )
        async for _ in stream:
            break
        await stream.close()
    data = (await here.event()).data
    assert data.tokens
    assert (data.cancelled, data.provenance, data.tokens.output) == (True, "injected", 3000)
    assert here.billed()["output"] == 3000


async def test_a_blocked_prompt_is_estimated(here: World) -> None:
    async with here.v1() as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(
                model=MINI, messages=[{"role": "user", "content": "A simulated-violation"}]
            )
    assert refused.value.code == "content_filter"
    data = (await here.event()).data
    assert (data.provenance, data.status, data.backend) == ("estimated", 400, "weu-1")


async def chat(client: AsyncOpenAI, model: str = MINI) -> None:
    async with client:
        await client.chat.completions.create(model=model, messages=SAY_HI)


async def test_an_unknown_key_is_401(here: World) -> None:
    with pytest.raises(openai.AuthenticationError, match="key is missing or unknown"):
        await chat(here.v1(key="wrong"))
    assert (await here.event()).data.tenant == "unallocated"


@pytest.mark.parametrize(
    ("query", "error", "code"),
    [
        ({"companyName": "fabrikam"}, openai.PermissionDeniedError, "company_mismatch"),
        ({"billingCode": "x" * 129}, openai.BadRequestError, "invalid_billing_parameter"),
        ({"username": "a\x00b"}, openai.BadRequestError, "invalid_billing_parameter"),
        ({"BILLINGCODE": "CC-1002"}, openai.BadRequestError, "invalid_billing_parameter"),
    ],
)
async def test_bad_billing_parameters_are_refused(
    here: World, query: dict[str, str], error: type[openai.APIStatusError], code: str
) -> None:
    with pytest.raises(error) as refused:
        await chat(here.v1(**query))
    assert refused.value.code == code
    event = await here.event()
    assert (event.data.provenance, event.data.tokens) == ("none", NO_TOKENS)
    assert here.asked == []


async def test_an_unknown_deployment_is_404(here: World) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await chat(here.v1(), model="gpt-9")
    assert refused.value.code == "DeploymentNotFound"
    assert (await here.event()).data.deployment == "gpt-9"


async def test_an_unknown_path_is_404(here: World) -> None:
    async with here.v1() as client:
        with pytest.raises(openai.NotFoundError) as refused:
            await client.files.list()
    assert refused.value.code == "not_found"
    assert (await here.event()).data.provenance == "none"


async def test_stored_state_is_refused(here: World) -> None:
    async with here.v1() as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.create(model=MINI, input="Hi", previous_response_id="resp_1")
    assert refused.value.param == "previous_response_id"


async def raw(here: World, method: str, path: str, **options: Any) -> tuple[int, bytes]:
    headers = {"api-key": KEY}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, here.url + path, headers=headers, **options) as answer,
    ):
        assert answer.headers["x-request-id"]
        return answer.status, await answer.read()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/chat/completions", b"hello", 400),
        ("POST", "/v1/chat/completions", b"", 400),
        ("POST", "/v1/chat/completions", b'{"model":"a","model":"b"}', 400),
        ("POST", "/v1/chat/completions", b" " * 1_000_001, 413),
        ("GET", "/v1/chat/completions", b"", 405),
        ("OPTIONS", "/v1/responses", b"", 405),
        ("POST", "/openai/deployments/%2e%2e/chat/completions?x", b"{}", 404),
        ("POST", "/openai//v1/chat/completions", b"{}", 404),
        ("POST", "/" + "x" * 50_000, b"{}", 404),
        ("POST", "/openai/deployments/a%0Ab/embeddings?&&=", b"{}", 404),
    ],
)
async def test_odd_requests_get_an_error_in_openais_shape(
    here: World, method: str, path: str, body: bytes, status: int
) -> None:
    answered, error = await raw(here, method, path, data=body)
    assert answered == status
    assert set(msgspec.json.decode(error)["error"]) == {"message", "type", "param", "code"}
    assert (await here.event()).data.provenance == "none"


async def test_head_has_no_body(here: World) -> None:
    assert await raw(here, "HEAD", "/v1/chat/completions") == (405, b"")


async def test_who_leaves_while_sending_has_one_event(here: World) -> None:
    host, port = here.url.removeprefix("http://").split(":")
    head = (
        f"POST /v1/responses HTTP/1.1\r\nhost: x\r\napi-key: {KEY}\r\ncontent-length: 99\r\n\r\n{{"
    )
    with socket.create_connection((host, int(port))) as client:
        client.sendall(head.encode())
    data = (await here.event()).data
    assert (data.status, data.cancelled, data.provenance) == (499, True, "none")

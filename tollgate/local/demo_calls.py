"""The demo's calls: what an application would do, with the `openai` SDK, unchanged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import msgspec
from openai import AsyncAzureOpenAI, AsyncOpenAI

from tollgate.local.regions import CLIENT_KEYS

_API_VERSION: Final = "2024-10-21"


class Caller(msgspec.Struct, frozen=True):
    """Someone at a company who charges to a billing code (or forgets to)."""

    tenant: str
    company: str
    user: str
    billing_code: str | None

    def parameters(self) -> dict[str, object]:
        """The billing parameters for the query."""
        parameters: dict[str, object] = {"username": self.user, "companyName": self.company}
        return parameters | ({"billingCode": self.billing_code} if self.billing_code else {})


CALLERS: Final = (
    Caller("contoso", "Contoso GmbH", "alice", "CC-1001"),
    Caller("contoso", "contoso", "bob", "CC-1002"),
    Caller("fabrikam", "Fabrikam Inc.", "carol", "FB-7"),
    Caller("fabrikam", "fabrikam", "dave", "FB-8"),
    Caller("fabrikam", "fabrikam", "erin", None),
)

_POLICY_TEXT: Final = (
    "Every paragraph of the travel policy in full, as the assistant needs it. " * 80
)


class Clients(msgspec.Struct, frozen=True):
    """Both clients of the SDK for one caller."""

    v1: AsyncOpenAI
    azure: AsyncAzureOpenAI


Send = Callable[[Clients, int], Awaitable[None]]


async def _chat(clients: Clients, number: int) -> None:
    await clients.v1.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": f"Summarise ticket {number}."}]
    )


async def _chat_with_cached_prompt(clients: Clients, number: int) -> None:
    await clients.azure.chat.completions.create(
        model="gpt-4o",
        messages=[
            {"role": "system", "content": _POLICY_TEXT},
            {"role": "user", "content": f"May trip {number} be booked?"},
        ],
    )


async def _chat_streamed(clients: Clients, number: int) -> None:
    stream = await clients.azure.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": f"Draft the answer to mail {number}."}],
        stream=True,
    )
    async for _ in stream:
        pass


async def _chat_streamed_with_usage(clients: Clients, number: int) -> None:
    stream = await clients.v1.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": f"Explain finding {number}."}],
        stream=True,
        stream_options={"include_usage": True},
    )
    async for _ in stream:
        pass


async def _response(clients: Clients, number: int) -> None:
    await clients.v1.responses.create(model="gpt-4o-mini", input=f"Classify invoice {number}.")


async def _response_streamed(clients: Clients, number: int) -> None:
    stream = await clients.v1.responses.create(
        model="gpt-4o", input=f"Plan sprint {number}.", stream=True
    )
    async for _ in stream:
        pass


async def _embedding(clients: Clients, number: int) -> None:
    await clients.azure.embeddings.create(
        model="text-embedding-3-small", input=[f"Paragraph {number}", "another paragraph"]
    )


KINDS: Final[tuple[Send, ...]] = (
    _chat,
    _chat_streamed,
    _response,
    _embedding,
    _chat_with_cached_prompt,
    _chat_streamed_with_usage,
    _response_streamed,
)


@asynccontextmanager
async def _clients(url: str, caller: Caller) -> AsyncGenerator[Clients]:
    key, query = CLIENT_KEYS[caller.tenant], caller.parameters()
    async with (
        AsyncOpenAI(
            base_url=f"{url}/openai/v1", api_key=key, default_query=query, max_retries=0
        ) as v1,
        AsyncAzureOpenAI(
            azure_endpoint=url,
            api_version=_API_VERSION,
            api_key=key,
            default_query=query,
            max_retries=0,
        ) as azure,
    ):
        yield Clients(v1, azure)


async def send_calls(url: str, count: int, at_once: int, half_way: Callable[[], None]) -> None:
    """Send `count` mixed calls to the gateway.

    Args:
        url: The gateway's.
        count: How many; callers and kinds of calls take turns.
        at_once: How many are under way together.
        half_way: Called when the second half begins.

    Raises:
        openai.OpenAIError: A call failed; none should.
    """
    async with AsyncExitStack() as exits:
        clients = [await exits.enter_async_context(_clients(url, caller)) for caller in CALLERS]
        bound = asyncio.Semaphore(at_once)

        async def send(number: int) -> None:
            async with bound:
                if number == count // 2:
                    half_way()
                await KINDS[number % len(KINDS)](clients[number % len(clients)], number)

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(send(number))

"""What clients of every kind do: one call each, and what they were told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from random import Random
from typing import Any, Final

import aiohttp
import msgspec
from load.gateway_process import CODES, KEYS, MINI, VECTORS

_CHAT: Final = "/openai/v1/chat/completions"
_RESPONSES: Final = "/openai/v1/responses"
_EMBEDDINGS: Final = "/openai/v1/embeddings"
_SLOW_S: Final = 0.01
_UNREACHABLE_S: Final = 0.1
_TIMEOUT_S: Final = 60.0
_FRAME: Final = b"data: "
_NUMBERS: Final = count()


class Told(msgspec.Struct, kw_only=True):
    """What a client knows of one request that has reached the gateway.

    Attributes:
        kind: What was called.
        status: None where there was no answer.
        request_id: The gateway's; None where there was no answer.
        complete: The answer is here to its last byte.
        error: The error that the answer, or its first frame with anything in it, is.
        frames: Frames with content.
        broken: A stream said, or showed, that it is not whole.
        left: The client left before the end.
        response_id: The provider's.
        tokens: Input and output as the answer states them.
    """

    kind: str
    status: int | None = None
    request_id: str | None = None
    complete: bool = False
    error: str | None = None
    frames: int = 0
    broken: bool = False
    left: bool = False
    response_id: str | None = None
    tokens: tuple[int, int] | None = None


Read = Callable[[aiohttp.ClientResponse, Told], Awaitable[None]]


class Client:
    """Calls the gateway.

    Args:
        session: Its connections.
        url: The gateway's.
        random: What it asks for, and how long it waits between calls.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, random: Random) -> None:
        self._session, self._url, self._random = session, url, random

    async def call(self, kind: str) -> Told | None:
        """Make one call; None if the gateway could not be reached at all."""
        path, body, read = self._kinds()[kind]
        tenant = self._random.choice(sorted(KEYS))
        query = {"username": "alice", "companyName": tenant, "billingCode": CODES[tenant]}
        told = Told(kind=kind)
        try:
            async with self._session.post(
                self._url + path, json=body, params=query, headers={"api-key": KEYS[tenant]}
            ) as answer:
                told.status = answer.status
                told.request_id = answer.headers["x-request-id"]
                await (read if answer.status == 200 else _read_error)(answer, told)
        except aiohttp.ClientConnectorError:
            return None
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            told.broken = True
            told.error = told.error or (None if told.frames else type(error).__name__)
        return told

    def _kinds(self) -> dict[str, tuple[str, dict[str, Any], Read]]:
        number = next(_NUMBERS)
        chat = {"model": MINI, "messages": [{"role": "user", "content": f"Hello {number}"}]}
        long = {
            "model": MINI,
            "messages": [{"role": "user", "content": f"Hello {number} in 120 words"}],
        }
        stream = {"stream": True, "stream_options": {"include_usage": True}}
        asked = {"model": MINI, "input": f"Hello {number}", "store": bool(number % 2)}
        texts = {"model": VECTORS, "input": [f"Hello {number}"] * self._random.randint(1, 4)}
        return {
            "chat": (_CHAT, chat, _read_whole),
            "stream": (_CHAT, chat | {"stream": True}, _read_stream),
            "stream_usage": (_CHAT, chat | stream, _read_stream),
            "embeddings": (_EMBEDDINGS, texts, _read_whole),
            "responses": (_RESPONSES, asked, _read_whole),
            "responses_stream": (_RESPONSES, asked | {"stream": True}, _read_stream),
            "leaver": (_CHAT, long | {"stream": True}, _read_a_little),
            "slow_reader": (_CHAT, long | stream, _read_slowly),
        }


KINDS: Final = (
    "chat",
    "stream",
    "stream_usage",
    "embeddings",
    "responses",
    "responses_stream",
    "leaver",
    "slow_reader",
)


async def go_on(
    client: Client,
    kind: str,
    told: list[Told],
    pause: Callable[[], float],
    ending: asyncio.Event,
) -> None:
    """Call again and again until the end is near; the last call goes to its end."""
    while not ending.is_set():
        found = await client.call(kind)
        if found is not None:
            told.append(found)
        await asyncio.sleep(_UNREACHABLE_S if found is None else pause())


def timeout() -> aiohttp.ClientTimeout:
    """For a whole call."""
    return aiohttp.ClientTimeout(total=_TIMEOUT_S)


async def _read_error(answer: aiohttp.ClientResponse, told: Told) -> None:
    body = await answer.read()
    told.complete = True
    told.error = f"{answer.status} {body[:200].decode(errors='replace')}"


async def _read_whole(answer: aiohttp.ClientResponse, told: Told) -> None:
    body = await answer.read()
    _note(told, msgspec.json.decode(body))
    told.complete = True


async def _read_stream(
    answer: aiohttp.ClientResponse, told: Told, pause_s: float | None = None
) -> None:
    ended = False
    async for line in answer.content:
        if line.startswith(_FRAME):
            data = line.removeprefix(_FRAME).strip()
            ended = ended or data == b"[DONE]" or _note(told, _members(data))
            if pause_s is not None:
                await asyncio.sleep(pause_s)
    told.complete = True
    told.broken = told.broken or not ended


async def _read_slowly(answer: aiohttp.ClientResponse, told: Told) -> None:
    await _read_stream(answer, told, _SLOW_S)


async def _read_a_little(answer: aiohttp.ClientResponse, told: Told) -> None:
    async for line in answer.content:
        if line.startswith(_FRAME):
            _note(told, _members(line.removeprefix(_FRAME).strip()))
        if told.frames == 3:
            break
    told.left = True
    answer.close()


def _members(data: bytes) -> dict[str, Any]:
    return {} if data == b"[DONE]" else msgspec.json.decode(data)


def _note(told: Told, members: dict[str, Any]) -> bool:
    """Take over what an answer or a frame says; True if the stream is whole with it."""
    if members.get("error") or members.get("type") == "error":
        told.broken = True
        if not told.frames:
            told.error = str(members)[:200]
    said: dict[str, Any] = members.get("response") or members
    told.response_id = said.get("id") or told.response_id
    told.frames += _has_content(members)
    usage = said.get("usage")
    if usage:
        given = usage.get("prompt_tokens", usage.get("input_tokens"))
        made = usage.get("completion_tokens", usage.get("output_tokens", 0))
        told.tokens = (given, made)
    return members.get("type") == "response.completed"


def _has_content(members: dict[str, Any]) -> bool:
    if members.get("type") == "response.output_text.delta":
        return True
    choices: list[dict[str, Any]] = members.get("choices", [])
    deltas: list[dict[str, Any]] = [choice.get("delta") or {} for choice in choices]
    return any(delta.get("content") for delta in deltas)

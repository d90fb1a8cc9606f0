"""Streams in the direct topology: not held back, and asked for their usage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from policies.comparing import both_surfaces
from policies.evaluator import Evaluator
from policies.scripted import Scripted, streams
from policies.world import BILLED, Surface, chat_path, policy_world
from proxying import KEY

FIRST, LAST = b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\n', b"data: [DONE]\n\n"
# A date that a JSON library would write in another way, and a number that it would round.
PROMPT = b'{"stream": true, "seed": 1.50, "messages": [{"role": "user", "content": "2026-01-01T00:00:00.000Z"}]}'  # noqa: E501  as a client writes it


async def body_sent(evaluator: Evaluator, body: bytes, path: str, **query: str) -> bytes:
    """What a backend gets of a request's body."""
    async with (
        streams(FIRST, LAST).listening() as backend,
        policy_world(evaluator, backend_url=backend.url) as world,
    ):
        await world.post(path, body, headers={"api-key": KEY}, params=query)
        (sent,) = backend.bodies
        return sent


@both_surfaces
async def test_frame_reaches_the_client_before_the_next_one_is_made(
    evaluator: Evaluator, surface: Surface
) -> None:
    path, version = chat_path(surface)
    async with (
        streams(FIRST, None, LAST).listening() as backend,
        policy_world(evaluator, backend_url=backend.url) as world,
        world.client.post(
            world.url + path, data=PROMPT, params=version | BILLED, headers={"api-key": KEY}
        ) as answer,
    ):
        assert await answer.content.readexactly(len(FIRST)) == FIRST
        event = await world.event()
        backend.go_on.set()
        assert await answer.content.read() == LAST
    assert (event.data.provenance, event.data.tokens) == ("pending", None)


@both_surfaces
async def test_streamed_chat_is_asked_for_its_usage_and_stays_as_it_was_written(
    evaluator: Evaluator, surface: Surface
) -> None:
    path, version = chat_path(surface)
    sent = await body_sent(evaluator, PROMPT, path, **version)
    option = b'"stream_options":{"include_usage":true},'
    assert sent.count(option) == 1
    assert sent.replace(option, b"") == PROMPT


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"include_obfuscation": False}, {"include_obfuscation": False, "include_usage": True}),
        ({"include_usage": False}, {"include_usage": True}),
        (None, {"include_usage": True}),
    ],
)
async def test_usage_is_asked_for_beside_the_clients_own_options(
    evaluator: Evaluator, options: Any, expected: dict[str, bool]
) -> None:
    body = json.dumps({"stream": True, "messages": [], "stream_options": options}).encode()
    sent = json.loads(await body_sent(evaluator, body, "/openai/v1/chat/completions"))
    assert sent == {"stream": True, "messages": [], "stream_options": expected}


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("/openai/v1/chat/completions", {}, {"messages": []}),
        ("/openai/v1/responses", {}, {"stream": True, "input": "hi"}),
        ("/openai/responses", {"api-version": "2025-04-01-preview"}, {"stream": True}),
        ("/openai/deployments/x/completions", {"api-version": "2024-10-21"}, {"stream": True}),
        ("/openai/deployments/x/chat/completions", {"api-version": "2024-06-01"}, {"stream": True}),
    ],
)
async def test_usage_is_asked_for_only_where_the_option_is_known(
    evaluator: Evaluator, path: str, query: dict[str, str], body: dict[str, Any]
) -> None:
    raw = json.dumps(body).encode()
    assert await body_sent(evaluator, raw, path, **query) == raw


async def test_event_of_a_client_that_leaves_is_pending_as_of_one_that_stays(
    evaluator: Evaluator,
) -> None:
    backend: Scripted = streams(FIRST, None, LAST)
    async with (
        backend.listening(),
        policy_world(evaluator, backend_url=backend.url) as world,
    ):
        url = world.url + "/openai/v1/chat/completions"
        answer = await world.client.post(url, data=PROMPT, headers={"api-key": KEY})
        await answer.content.readexactly(len(FIRST))
        answer.close()
        backend.go_on.set()
        assert (await world.event()).data.provenance == "pending"

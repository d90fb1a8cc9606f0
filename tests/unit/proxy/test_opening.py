from __future__ import annotations

import asyncio

import pytest
from proxying import DONE, ERROR, HELLO, USAGE, Step, sse, stream

from tollgate.proxy.frames import FrameSource
from tollgate.proxy.opening import MAX_HELD, Opening
from tollgate.proxy.ports import BackendFailed
from tollgate.usage.extraction import StreamMeter
from tollgate.usage.tokens import Tokens

ROLE = sse({"choices": [{"delta": {"role": "assistant"}}]})
FILTERS = sse({"choices": [], "prompt_filter_results": []})


def opening(*steps: Step, api: str = "chat.completions", max_held: int = MAX_HELD) -> Opening:
    return Opening(FrameSource(stream(*steps)), StreamMeter(api), max_held)


async def seen(made: Opening) -> list[str]:
    await made.read("weu-1")
    return [kind for _, kind in made.seen]


async def test_it_ends_with_the_first_content() -> None:
    assert await seen(opening(FILTERS, ROLE, HELLO, HELLO)) == ["other", "other", "content"]


async def test_a_stream_that_ends_without_content_is_let_go() -> None:
    assert await seen(opening(FILTERS)) == ["other"]
    assert await seen(opening(DONE)) == ["done"]
    assert await seen(opening(USAGE, DONE)) == ["usage"]


async def test_not_more_is_held_back_than_may_be() -> None:
    assert await seen(opening(*[ROLE] * 5, max_held=3)) == ["other"] * 3
    large = sse({"choices": [], "padding": "x" * 200_000})
    assert await seen(opening(*[large] * 5)) == ["other"] * 2


async def test_an_empty_stream_is_the_backends_failure() -> None:
    with pytest.raises(BackendFailed, match="weu-1 sent an empty stream"):
        await opening(b"").read("weu-1")


@pytest.mark.parametrize(
    "error",
    [
        ERROR,
        sse({"type": "error", "code": "server_error"}),
        sse({"type": "response.failed", "response": {"error": {"code": "server_error"}}}),
    ],
)
async def test_an_error_first_is_the_backends_failure_and_may_have_cost(error: bytes) -> None:
    api = "responses" if b'"type"' in error else "chat.completions"
    with pytest.raises(BackendFailed, match="weu-1 began its stream with an error") as failed:
        await opening(ROLE, error, api=api).read("weu-1")
    assert failed.value.may_have_cost


async def test_a_failure_says_what_the_stream_had_used() -> None:
    usage = {"input_tokens": 7, "output_tokens": 2}
    failed = {"error": {"code": "server_error"}, "usage": usage}
    with pytest.raises(BackendFailed) as raised:
        await opening(sse({"type": "response.failed", "response": failed}), api="responses").read(
            "weu-1"
        )
    assert raised.value.measurement.tokens == Tokens(input=7, output=2)


@pytest.mark.parametrize(
    "error",
    [
        sse({"error": {"code": "content_filter"}}),
        sse({"error": {"code": None, "type": "invalid_request_error"}}),
    ],
)
async def test_an_error_that_every_backend_would_make_is_the_clients(error: bytes) -> None:
    assert await seen(opening(FILTERS, error)) == ["other", "error"]


async def test_to_be_cancelled_loses_nothing() -> None:
    gate = asyncio.Event()
    made = opening(ROLE, gate, HELLO)
    reading = asyncio.create_task(made.read("weu-1"))
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    gate.set()
    assert [kind for _, kind in made.seen] == ["other"]
    assert await seen(made) == ["other", "content"]

from __future__ import annotations

import asyncio

import msgspec
import pytest
from gateways import ask, gateway
from proxying import (
    DONE,
    ERROR,
    HELLO,
    USAGE,
    FakeAnswer,
    FakeUpstream,
    RecordingSink,
    Step,
    chat,
    read_all,
    request,
    sse,
    stream,
    usage,
)

from tollgate.proxy.handler import Gateway
from tollgate.proxy.messages import Answer, ByteStream
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.relay import Background, DrainBounds
from tollgate.usage.tokens import Tokens

ASKED = {"stream_options": {"include_usage": True}}
EXACT = Tokens(input=10, output=5)
DRAIN = DrainBounds(timeout_s=0.05, tokens=1000)
BROKEN = BackendFailed("broken", may_have_cost=True)


class Relayed:
    """A streamed request: its upstream's answer, its own answer and its events."""

    def __init__(
        self,
        *steps: Step,
        asked: bool = False,
        responses: bool = False,
        drain: DrainBounds = DRAIN,
    ) -> None:
        self.upstream_answer = stream(*steps)
        self.sink = RecordingSink()
        upstream = FakeUpstream(self.upstream_answer)
        self.gateway: Gateway = gateway(upstream, self.sink, drain=drain, timeout_s=0.05)
        body = chat(stream=True, model="gpt-4o-mini", **(ASKED if asked else {}))
        path = "/v1/responses" if responses else "/v1/chat/completions"
        self._request = request(body=body, path=path)

    async def answer(self) -> Answer:
        return await ask(self.gateway, self._request)

    async def stream(self) -> ByteStream:
        body = (await self.answer()).body
        assert not isinstance(body, bytes)
        return body

    async def read(self) -> bytes:
        return await read_all(await self.answer())

    @property
    def counted(self) -> tuple[str, Tokens | None]:
        data = self.sink.only.data
        return data.provenance, data.tokens


def estimated(output: int) -> tuple[str, Tokens]:
    return "estimated", Tokens(input=3, output=output, cached_input=None)


async def test_the_usage_frame_that_we_asked_for_is_removed() -> None:
    relayed = Relayed(HELLO, USAGE, DONE)
    assert await relayed.read() == HELLO + DONE
    assert relayed.counted == ("injected", EXACT)
    assert relayed.upstream_answer.closed


async def test_the_usage_frame_that_the_client_asked_for_is_relayed() -> None:
    relayed = Relayed(HELLO, USAGE, DONE, asked=True)
    assert await relayed.read() == HELLO + USAGE + DONE
    assert relayed.counted == ("measured", EXACT)


async def test_a_first_frame_without_choices_is_relayed() -> None:
    first = sse({"choices": [], "prompt_filter_results": [], "usage": None})
    assert await Relayed(first, HELLO, USAGE, DONE).read() == first + HELLO + DONE


async def test_bytes_are_relayed_as_they_are() -> None:
    odd = b": hi\r\ndata:" + HELLO[6:-2] + b"\r\n\r\n"
    assert await Relayed(odd, b"\n\n", USAGE, DONE).read() == odd + b"\n\n" + DONE


async def test_usage_in_the_last_frame_with_content_is_measured_and_relayed() -> None:
    last = sse({"choices": [{"delta": {"content": "!"}}], "usage": usage()})
    relayed = Relayed(HELLO, last, DONE)
    assert await relayed.read() == HELLO + last + DONE
    assert relayed.counted == ("injected", EXACT)


async def test_a_stream_may_end_without_done() -> None:
    relayed = Relayed(HELLO, USAGE)
    assert await relayed.read() == HELLO
    assert relayed.counted == ("injected", EXACT)


async def test_a_stream_without_usage_is_estimated() -> None:
    relayed = Relayed(HELLO, DONE)
    assert await relayed.read() == HELLO + DONE
    assert relayed.counted == estimated(output=2)


async def test_frames_after_done_are_relayed() -> None:
    relayed = Relayed(HELLO, USAGE, DONE, HELLO)
    assert await relayed.read() == HELLO + DONE + HELLO
    assert relayed.counted == ("injected", EXACT)


async def test_the_event_is_recorded_before_the_last_frame() -> None:
    relayed = Relayed()
    async for chunk in await relayed.stream():
        assert len(relayed.sink.events) == (1 if chunk == DONE else 0)


async def test_a_broken_stream_ends_with_an_error_and_is_estimated() -> None:
    relayed = Relayed(HELLO, b"data: {", BROKEN)
    body = await relayed.read()
    assert body.startswith(HELLO + b'data: {"error":{"message":')
    assert body.endswith(b"\n\n")
    assert relayed.counted == estimated(output=2)
    assert relayed.upstream_answer.closed


async def test_a_stream_that_breaks_behind_its_usage_is_measured() -> None:
    relayed = Relayed(HELLO, USAGE, BROKEN)
    assert b"stream_broken" in await relayed.read()
    assert relayed.counted == ("injected", EXACT)


async def test_a_break_behind_the_end_is_no_break() -> None:
    relayed = Relayed(HELLO, USAGE, DONE, BROKEN)
    assert await relayed.read() == HELLO + DONE
    assert relayed.upstream_answer.closed


async def test_a_broken_response_ends_with_an_error_event() -> None:
    delta = sse({"type": "response.output_text.delta", "delta": "Hi"})
    body = await Relayed(delta, BROKEN, responses=True).read()
    error = msgspec.json.decode(body.removeprefix(delta + b"event: error\ndata: "))
    assert (error["type"], error["code"]) == ("error", "stream_broken")
    assert error["sequence_number"] > 0


async def test_a_response_is_measured_from_its_last_event() -> None:
    counts = {"input_tokens": 10, "output_tokens": 5}
    frames = [
        sse({"type": "response.created", "response": {"id": "resp_1", "usage": None}}),
        sse({"type": "response.completed", "response": {"id": "resp_1", "usage": counts}}),
    ]
    relayed = Relayed(*frames, responses=True)
    assert await relayed.read() == b"".join(frames)
    assert relayed.counted == ("measured", EXACT)
    assert relayed.sink.only.data.response_id == "resp_1"


async def test_an_error_from_the_region_is_relayed_and_the_rest_estimated() -> None:
    relayed = Relayed(HELLO, ERROR)
    assert await relayed.read() == HELLO + ERROR
    assert relayed.counted == estimated(output=2)


async def test_who_leaves_is_still_counted_exactly() -> None:
    relayed = Relayed(HELLO, HELLO, USAGE, DONE)
    body = await relayed.stream()
    await anext(body)
    body.abandon()
    await relayed.gateway.background.finish()
    assert relayed.counted == ("injected", EXACT)
    assert relayed.sink.only.data.cancelled
    assert relayed.upstream_answer.closed


async def test_who_leaves_before_the_first_frame_is_counted() -> None:
    relayed = Relayed()
    (await relayed.stream()).abandon()
    await relayed.gateway.background.finish()
    assert relayed.counted == ("injected", EXACT)


@pytest.mark.parametrize(
    "end", [asyncio.Event(), BROKEN, asyncio.CancelledError(), ValueError("a bug")]
)
async def test_a_rest_that_cannot_be_read_is_estimated(end: Step) -> None:
    relayed = Relayed(HELLO, HELLO, end)
    body = await relayed.stream()
    await anext(body)
    body.abandon()
    await asyncio.gather(relayed.gateway.background.finish(), return_exceptions=True)
    assert relayed.counted == estimated(output=3)
    assert relayed.sink.only.data.cancelled
    assert relayed.upstream_answer.closed


async def test_a_rest_is_read_only_so_far() -> None:
    relayed = Relayed(*[HELLO] * 9, USAGE, DONE, drain=DrainBounds(timeout_s=1, tokens=4))
    body = await relayed.stream()
    await anext(body)
    body.abandon()
    await relayed.gateway.background.finish()
    provenance, tokens = relayed.counted
    assert provenance == "estimated"
    assert tokens is not None
    assert 6 <= tokens.output <= 8  # what had come, 16 characters more, and not all 45
    assert relayed.upstream_answer.closed


async def test_leaving_behind_the_end_changes_nothing() -> None:
    relayed = Relayed()
    body = await relayed.stream()
    while await anext(body) != DONE:
        pass
    body.abandon()
    await relayed.gateway.background.finish()
    assert not relayed.sink.only.data.cancelled
    assert relayed.upstream_answer.closed


async def test_a_stream_that_is_over_stays_over() -> None:
    relayed = Relayed()
    body = await relayed.stream()
    assert await read_all(Answer(status=200, headers=(), body=body)) == HELLO + DONE
    body.abandon()
    await relayed.gateway.background.finish()
    with pytest.raises(StopAsyncIteration):
        await anext(body)


async def test_nothing_is_read_by_the_client_once_it_has_left() -> None:
    relayed = Relayed(HELLO, asyncio.Event())
    body = await relayed.stream()
    body.abandon()
    with pytest.raises(StopAsyncIteration):
        await anext(body)
    await relayed.gateway.background.finish()
    assert relayed.sink.only.data.cancelled


async def test_a_cancelled_read_can_be_abandoned() -> None:
    go = asyncio.Event()
    relayed = Relayed(HELLO, go, USAGE, DONE)
    body = await relayed.stream()
    await anext(body)
    reading = asyncio.ensure_future(anext(body))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    go.set()
    body.abandon()
    await relayed.gateway.background.finish()
    assert relayed.counted == ("injected", EXACT)


async def test_an_event_that_cannot_be_kept_costs_neither_the_answer_nor_the_connection() -> None:
    answer: FakeAnswer = stream(HELLO, USAGE)
    sink = RecordingSink()
    sink.record = _full  # pyright: ignore[reportAttributeAccessIssue]  a disk that is full
    served = await ask(gateway(FakeUpstream(answer), sink), request(body=chat(stream=True)))
    assert await read_all(served) == HELLO
    assert answer.closed


def _full(_event: object) -> None:
    raise OSError("full")


async def test_what_takes_too_long_at_the_end_is_cut_short() -> None:
    background, cut_short = Background(), asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut_short.set()

    background.start(endless())
    await background.finish(patience_s=0.01)
    assert cut_short.is_set()

from __future__ import annotations

import asyncio

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
    chat,
    completion,
    read_all,
    request,
    sse,
    stream,
)

from tollgate.proxy.ports import BackendFailed
from tollgate.usage.tokens import Tokens

FILTER = sse({"choices": [], "prompt_filter_results": []})
ROLE = sse({"choices": [{"delta": {"role": "assistant"}}]})
BROKEN = BackendFailed("broken", may_have_cost=True)


class Streamed:
    """A streamed chat, answered by one region after the other."""

    def __init__(self, *answers: FakeAnswer | BaseException) -> None:
        self.sink, self.upstream = RecordingSink(), FakeUpstream(*answers)
        self._gateway = gateway(self.upstream, self.sink)

    async def read(self) -> bytes:
        return await read_all(await ask(self._gateway, request(body=chat(stream=True))))

    @property
    def counted(self) -> list[tuple[str, str, int]]:
        data = [event.data for event in self.sink.events]
        return [(each.backend or "", each.provenance, each.attempts) for each in data]


@pytest.mark.parametrize("end", [(ERROR,), (BROKEN,), ()])
async def test_before_the_first_content_another_region_goes_on(
    end: tuple[bytes | BackendFailed, ...],
) -> None:
    bad = stream(FILTER, ROLE, *end)
    streamed = Streamed(bad, stream(FILTER, ROLE, HELLO, USAGE, DONE))
    assert await streamed.read() == FILTER + ROLE + HELLO + DONE
    assert streamed.counted == [("weu-1", "unknown", 1), ("neu-1", "injected", 2)]
    assert [event.id for event in streamed.sink.events] == ["req-1.a1", "req-1"]
    assert bad.closed


async def test_after_the_first_content_a_break_is_the_clients() -> None:
    streamed = Streamed(stream(ROLE, HELLO, BROKEN))
    assert b"stream_broken" in await streamed.read()
    assert len(streamed.upstream.sent) == 1


async def test_when_no_other_region_goes_on_the_client_is_told() -> None:
    streamed = Streamed(stream(ROLE, BROKEN), BackendFailed("refused"))
    body = await streamed.read()
    assert body.startswith(ROLE)
    assert b"stream_broken" in body
    assert streamed.counted == [("weu-1", "estimated", 1)]


async def test_another_region_that_does_not_stream_goes_not_on_and_is_counted() -> None:
    streamed = Streamed(stream(ROLE, BROKEN), FakeAnswer(completion()))
    assert b"stream_broken" in await streamed.read()
    assert streamed.counted == [("neu-1", "measured", 2), ("weu-1", "estimated", 1)]
    assert streamed.sink.events[0].data.tokens == Tokens(input=10, output=5)


async def test_what_runs_on_in_the_background_is_created_once() -> None:
    created = sse({"type": "response.created", "response": {"id": "resp_1", "status": "queued"}})
    upstream, sink = FakeUpstream(stream(created, BROKEN)), RecordingSink()
    body = chat(stream=True, background=True, model="gpt-4o-mini")
    asked = request(body=body, path="/v1/responses")
    assert (await read_all(await ask(gateway(upstream, sink), asked))).startswith(created)
    assert (sink.only.data.provenance, sink.only.data.response_id) == ("pending", "resp_1")


async def test_who_leaves_while_another_region_is_asked_leaves_one_event_for_each() -> None:
    sink = RecordingSink()
    upstream = FakeUpstream(stream(ROLE, BROKEN), asyncio.Event())
    served = gateway(upstream, sink)
    body = (await ask(served, request(body=chat(stream=True)))).body
    assert not isinstance(body, bytes)
    await anext(body)
    reading = asyncio.ensure_future(anext(body))
    while len(upstream.sent) < 2:  # noqa: ASYNC110  nothing tells of it
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    body.abandon()
    await served.background.finish()
    assert [(event.id, event.data.backend) for event in sink.events] == [
        ("req-1.a2", "neu-1"),
        ("req-1", "weu-1"),
    ]


async def test_an_error_about_the_request_is_the_clients() -> None:
    blocked = sse({"error": {"code": "content_filter", "message": "no"}})
    streamed = Streamed(stream(ROLE, blocked))
    assert await streamed.read() == ROLE + blocked
    assert len(streamed.upstream.sent) == 1


async def test_what_the_first_region_said_that_it_used_is_counted() -> None:
    counts = {"prompt_tokens": 7, "completion_tokens": 0}
    used = sse({"choices": [{"delta": {"role": "assistant"}}], "usage": counts})
    streamed = Streamed(stream(ROLE, used, ERROR), stream())
    await streamed.read()
    assert streamed.sink.events[0].data.tokens == Tokens(input=7, output=0)

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from gateways import ask, gateway
from proxying import (
    FakeAnswer,
    FakeUpstream,
    RecordingSink,
    Step,
    completion,
    read_all,
    request,
    sse,
    stream,
)

from tollgate.proxy.messages import Answer, ByteStream
from tollgate.proxy.opening import MAX_HELD
from tollgate.proxy.ports import BackendFailed

SOUND = (("content-type", "audio/mpeg"),)
TEXT = "Guten Tag, Zürich"
BROKEN = BackendFailed("broken", may_have_cost=True)


def sound(*steps: Step) -> FakeAnswer:
    return FakeAnswer(*steps, headers=SOUND)


class Spoken:
    """A request to speak: what its backends answer, its own answer and its events."""

    def __init__(self, *script: FakeAnswer | BaseException, **members: Any) -> None:
        self.sink = RecordingSink()
        self.gateway = gateway(FakeUpstream(*script), self.sink)
        body = {"model": "gpt-4o-mini", "input": TEXT, "voice": "alloy", **members}
        self._request = request(path="/v1/audio/speech", body=msgspec.json.encode(body))

    async def answer(self) -> Answer:
        return await ask(self.gateway, self._request)

    async def sound(self) -> ByteStream:
        body = (await self.answer()).body
        assert not isinstance(body, bytes)
        return body

    @property
    def counted(self) -> tuple[str, dict[str, int], bool, int | None]:
        data = self.sink.only.data
        return data.provenance, dict(data.units), data.cancelled, data.status


ALL = ("estimated", {"characters": len(TEXT)}, False, 200)


async def test_sound_goes_to_the_client_as_it_comes() -> None:
    later = asyncio.Event()
    backend = sound(b"one", later, b"two")
    spoken = Spoken(backend)
    answer = await spoken.answer()
    assert dict(answer.headers)["content-type"] == "audio/mpeg"
    assert not isinstance(answer.body, bytes)
    assert await anext(answer.body) == b"one"
    assert spoken.sink.events == []
    later.set()
    assert await anext(answer.body) == b"two"
    assert [part async for part in answer.body] == []
    assert spoken.counted == ALL
    assert backend.closed


async def test_the_event_is_recorded_before_the_sound_is_over() -> None:
    spoken = Spoken(sound(b"one"))
    body = await spoken.sound()
    await anext(body)
    with pytest.raises(StopAsyncIteration):
        await anext(body)
    assert spoken.counted == ALL
    with pytest.raises(StopAsyncIteration):
        await anext(body)


async def test_until_the_first_byte_another_backend_may_speak() -> None:
    cut, empty_handed = sound(BROKEN), sound(b"two")
    spoken = Spoken(cut, empty_handed)
    answer = await spoken.answer()
    assert await read_all(answer) == b"two"
    assert dict(answer.headers)["x-tollgate-attempts"] == "2"
    assert [event.id for event in spoken.sink.events] == ["req-1.a1", "req-1"]
    assert cut.closed


async def test_sound_that_breaks_off_does_not_end_as_if_it_were_whole() -> None:
    backend = sound(b"one", BROKEN)
    spoken = Spoken(backend, sound(b"never asked"))
    body = await spoken.sound()
    assert await anext(body) == b"one"
    with pytest.raises(ConnectionError):
        await anext(body)
    assert spoken.counted == ALL
    assert backend.closed


async def test_a_client_that_leaves_is_counted_and_its_backend_let_go() -> None:
    """All that was asked for is known, and nothing more would be learnt from the rest."""
    backend = sound(b"one", asyncio.Event())
    spoken = Spoken(backend)
    body = await spoken.sound()
    await anext(body)
    body.abandon()
    body.abandon()
    assert spoken.counted == ("estimated", {"characters": len(TEXT)}, True, 200)
    assert backend.closed


async def test_a_client_that_leaves_after_the_end_changes_nothing() -> None:
    spoken = Spoken(sound(b"one"))
    body = await spoken.sound()
    assert [part async for part in body] == [b"one"]
    body.abandon()
    assert spoken.counted == ALL


async def test_sound_may_be_empty() -> None:
    spoken = Spoken(sound())
    assert [part async for part in await spoken.sound()] == []
    assert spoken.counted == ALL


async def test_an_error_is_no_sound() -> None:
    spoken = Spoken(FakeAnswer(b'{"error":{}}', status=400))
    assert (await spoken.answer()).body == b'{"error":{}}'
    assert spoken.counted == ("none", {}, False, 400)


async def test_what_is_asked_for_as_events_and_comes_otherwise_is_read_whole() -> None:
    spoken = Spoken(sound(b"one", b"two"), stream_format="sse")
    assert (await spoken.answer()).body == b"onetwo"


async def test_who_asked_for_no_events_and_gets_them_is_not_moved_elsewhere() -> None:
    early = sse({"type": "not yet"}) * MAX_HELD
    spoken = Spoken(stream(early, BROKEN), sound(b"never asked"))
    assert b"stream_broken" in await read_all(await spoken.answer())


async def test_other_answers_are_read_whole() -> None:
    spoken = Spoken(FakeAnswer(completion()))
    made = request(path="/v1/chat/completions", body=b'{"model":"gpt-4o-mini","messages":[]}')
    assert isinstance((await ask(spoken.gateway, made)).body, bytes)

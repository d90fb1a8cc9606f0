from __future__ import annotations

import asyncio

import pytest
from proxying import DONE, HELLO, FakeAnswer, stream

from tollgate.proxy.frames import FrameSource
from tollgate.proxy.ports import BackendFailed


async def frames(answer: FakeAnswer) -> list[bytes]:
    source = FrameSource(answer)
    found: list[bytes] = []
    while frame := await source.next():
        found.append(frame.raw)
    return found


async def test_frames_do_not_depend_on_how_bytes_arrive() -> None:
    whole = HELLO + DONE
    pieces = [whole[place : place + 1] for place in range(len(whole))]
    assert await frames(stream(*pieces)) == await frames(stream(whole)) == [HELLO, DONE]


async def test_what_is_left_at_the_end_is_a_frame() -> None:
    assert await frames(stream(HELLO + b"data: [DONE]")) == [HELLO, b"data: [DONE]"]


async def test_a_break_is_passed_on_without_the_half_frame() -> None:
    source = FrameSource(stream(HELLO + b"data: {", BackendFailed("broken")))
    assert await source.next()
    with pytest.raises(BackendFailed):
        await source.next()


async def test_a_cancelled_call_loses_nothing() -> None:
    go = asyncio.Event()
    source = FrameSource(stream(HELLO[:9], go, HELLO[9:]))
    waiting = asyncio.create_task(source.next())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    go.set()
    frame = await source.next()
    assert frame
    assert frame.raw == HELLO


async def test_closing_closes_the_answer() -> None:
    answer = stream()
    FrameSource(answer).close()
    assert answer.closed

import asyncio
import json
from contextlib import aclosing
from time import monotonic
from typing import Any, cast

import aiohttp
import pytest

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.deployments import DeploymentChange
from tollgate.local.simulator.faults import (
    BreakBody,
    BreakStream,
    Refuse,
    Reset,
    SlowFirstByte,
    SlowFrames,
    SplitBytes,
)


async def _received(api: Any, **body: object) -> tuple[bytes, Exception | None]:
    received = b""
    try:
        async for data in api.stream(**body):
            received += data
    except (aiohttp.ClientError, ConnectionError) as problem:
        return received, problem
    return received, None


async def test_refused_call_gets_no_answer(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(Refuse(times=1))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await api.chat()
    assert (region.log[0].status, region.log[0].outcome) == (None, "broken")
    assert (await api.chat())[0] == 200


async def test_reset_call_sees_a_reset(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(Reset(times=1))
    with pytest.raises(aiohttp.ClientOSError, match="reset by peer"):
        await api.chat()
    assert region.log[0].usage is None


async def test_broken_stream_bills_what_was_generated(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(BreakStream(after_frames=4))
    received, problem = await _received(api)
    assert isinstance(problem, aiohttp.ClientPayloadError)
    assert received.count(b"\n\n") == 4
    [entry] = region.log
    assert entry.usage is not None
    assert (entry.outcome, entry.usage["completion_tokens"]) == ("broken", 2)


async def test_stream_may_break_by_a_reset(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(BreakStream(after_frames=0, how="reset"))
    _, problem = await _received(api)
    assert problem is not None
    assert region.log[0].outcome == "broken"


async def test_short_stream_outlives_a_late_break(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(BreakStream(after_frames=1000))
    received, problem = await _received(api)
    assert problem is None
    assert received.endswith(b"data: [DONE]\n\n")


async def test_broken_body_is_shorter_than_announced(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(BreakBody())
    with pytest.raises(aiohttp.ClientPayloadError):
        await api.chat()
    assert region.log[0].usage is not None


async def test_split_stream_carries_the_same_events(api: Any, region: SimulatedRegion) -> None:
    whole, _ = await _received(api, max_tokens=20)
    region.faults.add(SplitBytes(seed=7, largest_bytes=2))
    split, _ = await _received(api, max_tokens=20)
    assert _texts(split) == _texts(whole)
    assert len(_texts(whole)) == 20


def _texts(stream: bytes) -> list[str]:
    frames = [json.loads(frame[6:]) for frame in stream.split(b"\n\n")[1:-2]]
    deltas = [frame["choices"][0]["delta"].get("content") for frame in frames]
    return [text for text in deltas if text]


async def test_late_first_byte_delays_the_answer(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(SlowFirstByte(delay_s=0.1))
    before = monotonic()
    await api.chat()
    assert monotonic() - before >= 0.1


async def test_slow_frames_delay_a_stream(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(SlowFrames(delay_s=0.02))
    before = monotonic()
    await _received(api, max_tokens=5)
    assert monotonic() - before >= 0.02 * 8


async def test_client_that_leaves_is_billed_for_what_was_generated(
    api: Any, region: SimulatedRegion
) -> None:
    region.faults.add(SlowFrames(delay_s=0.02))
    async with aclosing(api.stream(messages=[{"content": "500 words"}])) as stream:
        await anext(stream)
    async with asyncio.timeout(2):
        while region.log[0].outcome == "in_progress":
            await api.get("/admin/faults")
    [entry] = region.log
    assert entry.outcome == "client_left"
    assert entry.usage is not None
    assert cast("int", entry.usage["completion_tokens"]) < 100


async def test_client_that_leaves_before_the_stream_is_billed_the_prompt(
    api: Any, region: SimulatedRegion
) -> None:
    region.faults.add(SlowFirstByte(delay_s=30))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await anext(api.stream())
    await asyncio.sleep(0.05)
    [entry] = region.log
    assert (entry.outcome, entry.status) == ("client_left", None)
    assert entry.usage is not None
    assert (entry.usage["prompt_tokens"], entry.usage["completion_tokens"]) == (9, 0)


async def test_stopping_region_breaks_its_streams(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(SlowFrames(delay_s=0.05))
    reading = asyncio.create_task(_received(api, messages=[{"content": "500 words"}]))
    await asyncio.sleep(0.1)
    await region.stop()
    _, problem = await reading
    assert problem is not None
    assert region.log[0].outcome == "broken"


async def test_stream_is_paced_by_its_tokens(api: Any, region: SimulatedRegion) -> None:
    region.deployments.change("mini", DeploymentChange(token_latency_ms=10))
    before = monotonic()
    await _received(api, max_tokens=10)
    assert monotonic() - before >= 0.1

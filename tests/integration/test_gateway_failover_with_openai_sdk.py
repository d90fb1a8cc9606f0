"""Regions fail in every way that they can; clients see little of it, and the books all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from openai.types.responses import ResponseErrorEvent
from serving import MINI, REGIONS, World, until, world

from tollgate.local.simulator.faults import (
    BreakBody,
    BreakStream,
    ErrorFirstFrame,
    ErrorMidStream,
    Fault,
    HttpError,
    NoUsageFrame,
    OddFraming,
    Refuse,
    Reset,
    ResponsesFailed,
    SlowFirstByte,
    SlowFrames,
    SplitBytes,
    Throttle,
)

SAY_HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hi in 40 words"}]

pytestmark = pytest.mark.integration


@pytest.fixture
async def here() -> AsyncGenerator[World]:
    async with world() as started:
        yield started


async def whole(here: World) -> str:
    async with here.v1() as client:
        made = await client.chat.completions.create(model=MINI, messages=SAY_HI)
    return made.choices[0].message.content or ""


async def streamed(here: World) -> str:
    async with here.azure() as client:
        stream = await client.chat.completions.create(model=MINI, messages=SAY_HI, stream=True)
        parts = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
    return "".join(parts)


async def test_no_client_sees_the_429_of_one_region(here: World) -> None:
    here.fault(Throttle(retry_after_s=1))
    texts = await asyncio.gather(*(work(here) for work in [whole, streamed] * 20))
    assert all(len(text.split()) == 40 for text in texts)
    events = await here.events(40)
    assert {event.data.backend for event in events} == {"neu-1"}
    assert {event.data.attempts for event in events} <= {1, 2}
    counted = sum(event.data.tokens.output for event in events if event.data.tokens)
    assert counted == here.billed()["output"] == 40 * 40


async def test_all_regions_out_is_429_with_retry_after(here: World) -> None:
    here.fault(Throttle(retry_after_s=7), *REGIONS)
    for _ in range(2):
        with pytest.raises(openai.RateLimitError) as refused:
            await whole(here)
        assert 1 <= int(refused.value.response.headers["retry-after"]) <= 7
    events = await here.events(2)
    assert [(event.data.provenance, event.data.attempts) for event in events] == [
        ("none", 3),
        ("none", 0),
    ]


async def test_all_regions_down_is_503(here: World) -> None:
    here.fault(HttpError(status=500, body="html"), *REGIONS)
    with pytest.raises(openai.InternalServerError) as refused:
        await streamed(here)
    assert (refused.value.status_code, refused.value.code) == (503, "backends_unavailable")


FREE_FAULTS: list[Fault] = [
    HttpError(status=503),
    HttpError(status=503, body="html", retry_after_s=1),
    Throttle(form="http_date"),
]
COSTLY_FAULTS: list[Fault] = [
    Refuse(),
    Reset(),
    HttpError(status=500),
    HttpError(status=502, body="empty"),
    HttpError(status=408),
]


@pytest.mark.parametrize("fault", FREE_FAULTS, ids=repr)
@pytest.mark.parametrize("work", [whole, streamed])
async def test_a_region_that_fails_for_certain_costs_nothing(
    here: World, fault: Fault, work: type[object]
) -> None:
    here.fault(fault)
    assert await (whole(here) if work is whole else streamed(here))
    event = await here.event()
    assert (event.data.backend, event.data.attempts) == ("neu-1", 2)


@pytest.mark.parametrize("fault", [*COSTLY_FAULTS, BreakBody()], ids=repr)
async def test_an_attempt_that_may_have_cost_is_an_event_of_its_own(
    here: World, fault: Fault
) -> None:
    here.fault(fault)
    assert await whole(here)
    attempt, delivered = await here.events(2)
    assert (attempt.id, attempt.data.provenance) == (f"{delivered.id}.a1", "unknown")
    assert (attempt.data.backend, attempt.data.delivered) == ("weu-1", False)
    assert (delivered.data.backend, delivered.data.provenance) == ("neu-1", "measured")


@pytest.mark.parametrize("fault", [*COSTLY_FAULTS, BreakStream(after_frames=0)], ids=repr)
async def test_a_stream_that_does_not_begin_is_begun_elsewhere(here: World, fault: Fault) -> None:
    here.fault(fault)
    assert await streamed(here)
    attempt, delivered = await here.events(2)
    assert (attempt.data.delivered, delivered.data.delivered) == (False, True)
    assert (delivered.data.backend, delivered.data.provenance) == ("neu-1", "injected")


@pytest.mark.parametrize("work", [whole, streamed])
async def test_a_region_that_stays_silent_is_left_for_another(work: type[object]) -> None:
    async with world(timeout_s=2.0) as here:
        here.fault(SlowFirstByte(delay_s=60))
        assert await (whole(here) if work is whole else streamed(here))
        attempt, delivered = await here.events(2)
    assert (attempt.data.provenance, attempt.data.delivered) == ("unknown", False)
    assert delivered.data.backend == "neu-1"


async def test_a_region_that_is_not_there_costs_nothing(here: World) -> None:
    await here.regions["weu-1"].stop()
    assert await whole(here)
    assert (await here.event()).data.backend == "neu-1"


async def test_a_stream_that_begins_with_an_error_is_begun_elsewhere(here: World) -> None:
    here.fault(ErrorFirstFrame())
    assert len((await streamed(here)).split()) == 40
    attempt, delivered = await here.events(2)
    assert (attempt.data.provenance, attempt.data.attempts) == ("unknown", 1)
    assert delivered.data.attempts == 2


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_stream_that_breaks_is_an_error_and_estimated(here: World, how: str) -> None:
    here.fault(BreakStream(after_frames=12, how="reset" if how == "reset" else "close"))
    with pytest.raises(openai.APIError, match="broke the stream off"):
        await streamed(here)
    data = (await here.event()).data
    assert data.tokens
    assert (data.provenance, data.attempts, data.cancelled) == ("estimated", 1, False)
    assert data.tokens.output > 0


async def test_a_response_that_breaks_ends_with_an_error_event(here: World) -> None:
    here.fault(BreakStream(after_frames=5))
    async with here.v1() as client:
        stream = await client.responses.create(model=MINI, input="Hi", stream=True)
        events = [event async for event in stream]
    assert isinstance(events[-1], ResponseErrorEvent)
    assert events[-1].code == "stream_broken"
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers))
    assert (await here.event()).data.provenance == "estimated"


@pytest.mark.parametrize("with_usage", [True, False])
async def test_a_failed_response_is_counted_as_it_says(here: World, with_usage: bool) -> None:  # noqa: FBT001  a case
    here.fault(ResponsesFailed(with_usage=with_usage))
    async with here.v1() as client:
        stream = await client.responses.create(model=MINI, input="Hi", stream=True)
        assert [event.type async for event in stream][-1] == "response.failed"
    data = (await here.event()).data
    assert data.provenance == ("measured" if with_usage else "estimated")


async def test_an_error_in_a_stream_is_passed_on_and_estimated(here: World) -> None:
    here.fault(ErrorMidStream(after_frames=5))
    with pytest.raises(openai.APIError, match="had an error"):
        await streamed(here)
    assert (await here.event()).data.provenance == "estimated"


@pytest.mark.parametrize("fault", [SplitBytes(largest_bytes=3), OddFraming()], ids=repr)
async def test_odd_bytes_change_nothing(here: World, fault: Fault) -> None:
    here.fault(fault)
    assert len((await streamed(here)).split()) == 40
    data = (await here.event()).data
    assert data.tokens
    assert (data.provenance, data.tokens.output) == ("injected", 40)


async def test_a_stream_without_its_usage_is_estimated(here: World) -> None:
    here.fault(NoUsageFrame())
    await streamed(here)
    assert (await here.event()).data.provenance == "estimated"


async def test_who_leaves_a_slow_stream_is_counted_within_a_bound() -> None:
    async with world(drain_s=0.1) as here, here.v1() as client:
        here.fault(SlowFrames(delay_s=0.05))
        stream = await client.chat.completions.create(model=MINI, messages=SAY_HI, stream=True)
        async for _ in stream:
            break
        await stream.close()
        data = (await here.event()).data
    assert (data.cancelled, data.provenance) == (True, "estimated")


async def test_a_region_that_recovers_is_asked_again() -> None:
    async with world(open_s=0.05) as here:
        here.fault(HttpError(status=503, times=1))
        await whole(here)
        await asyncio.sleep(0.06)
        await whole(here)
        first, second = await here.events(2)
    assert (first.data.backend, second.data.backend) == ("neu-1", "weu-1")


async def test_a_probe_that_its_client_leaves_does_not_close_a_region_for_good() -> None:
    async with world(open_s=0.05) as here:
        here.fault(HttpError(status=503, times=1))
        await whole(here)
        await asyncio.sleep(0.06)
        here.fault(SlowFirstByte(delay_s=0.2, times=1))
        probe = asyncio.create_task(streamed(here))
        await until(lambda: len(here.regions["weu-1"].log) == 2)
        probe.cancel()
        await here.events(2)
        await whole(here)
        assert (await here.events(3))[-1].data.backend == "weu-1"

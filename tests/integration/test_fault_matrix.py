"""Every fault of a region, for every API, streamed or not, over real HTTP.

The expectations are the rows of `fault_matrix`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec
import pytest
import pytest_asyncio
from fault_matrix import CASES, CHUNKED, ROWS, SHAPES, TEXT, Detour, Row, Shape
from fault_matrix_world import Stage, Told, stage
from twins import billed_by, counted

from tollgate.local.simulator.faults import HttpError, Refuse, SlowFirstByte, Throttle
from tollgate.usage.event import UsageData
from tollgate.usage.tokens import NO_TOKENS

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FIRST, SECOND, THIRD = "weu-1", "neu-1", "swc-1"
FIVE = ("weu-1", "neu-1", "swc-1", "frc-1", "uks-1")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here() -> AsyncGenerator[Stage]:
    async with stage() as playing:
        yield playing


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def five() -> AsyncGenerator[Stage]:
    async with stage(FIVE) as playing:
        yield playing


@pytest.mark.parametrize(("fault", "call"), CASES, ids=map(", ".join, CASES))
async def test_a_fault_ends_as_the_table_says(here: Stage, fault: str, call: str) -> None:
    row, shape = ROWS[fault], SHAPES[call]
    await here.play(row, shape)
    told = await here.ask(shape)
    assert_told(told, row, shape)
    assert here.open_s(FIRST, shape) == pytest.approx(row.open_s)
    assert here.open_s(SECOND, shape) == 0
    assert_asked_once(here, row)
    assert_counted(here, row, shape)


def assert_told(told: Told, row: Row, shape: Shape) -> None:
    announced = row.end == "elsewhere" and not (row.late and shape.api in CHUNKED)
    assert told.status == row.status
    assert told.headers["x-tollgate-backend"] == (SECOND if announced else FIRST)
    assert told.headers["x-tollgate-attempts"] == ("2" if announced else "1")
    assert told.headers["x-request-id"] == "req-1"
    assert told.is_whole is (row.end != "cut" or shape.streamed)
    if row.end == "unchanged":
        assert_error(told, row)
    elif shape.streamed:
        assert_stream(told, row, shape)
    elif shape.api == "audio.speech":
        assert told.headers["content-type"].startswith("audio/")
        assert told.body
    else:
        assert not msgspec.json.decode(told.body).get("error") or row is ROWS["failed response"]


def assert_error(told: Told, row: Row) -> None:
    if row.body == "json":
        assert msgspec.json.decode(told.body)["error"]["code"]
    else:
        assert told.body.startswith(b"<!DOCTYPE html>" if row.body == "html" else b"")
        assert (told.body == b"") is (row.body == "empty")


def assert_stream(told: Told, row: Row, shape: Shape) -> None:
    assert told.headers["content-type"].startswith("text/event-stream")
    ours, theirs = b"stream_broken" in told.body, b"InternalServerError" in told.body
    assert (ours, theirs) == (row.end == "cut", row.end == "error shown")
    whole = row.end in {"elsewhere", "served"}
    if shape.api in CHUNKED:
        assert told.body.rstrip().endswith(b"[DONE]") is whole
        assert b'"usage":{' not in told.body  # the client has not asked for it


def assert_asked_once(here: Stage, row: Row) -> None:
    """Whoever is asked is asked once; the last one is never needed."""
    elsewhere = int(row.end == "elsewhere")
    first = 0 if isinstance(row.fault, Detour) else 1
    assert [here.asked(name) for name in here.regions] == [first, elsewhere, 0]


def assert_counted(here: Stage, row: Row, shape: Shape) -> None:
    *attempts, event = here.sink.events
    data = event.data
    elsewhere = row.end == "elsewhere"
    assert (event.id, data.api, data.streamed) == ("req-1", shape.api, shape.streamed)
    assert (data.status, data.delivered, data.cancelled) == (row.status, True, False)
    assert (data.backend, data.attempts) == (SECOND if elsewhere else FIRST, 1 + elsewhere)
    assert_tokens(here, data, provenance_of(row, shape))
    assert [each.id for each in attempts] == (["req-1.a1"] if row.cost == "may have cost" else [])
    for attempt in attempts:
        assert (attempt.data.backend, attempt.data.delivered) == (FIRST, False)
        assert (attempt.data.provenance, attempt.data.tokens) == ("unknown", None)


def provenance_of(row: Row, shape: Shape) -> str:
    if row.provenance == "as text":
        return "estimated" if shape.api in TEXT else "unknown"
    return row.provenance or shape.provenance


def assert_tokens(here: Stage, data: UsageData, provenance: str) -> None:
    """What was delivered is counted as the region bills it, unless the region did not say."""
    assert data.provenance == provenance
    if provenance == "none":
        assert data.tokens == NO_TOKENS
    elif provenance == "unknown":
        assert (data.tokens, data.units) == (None, {})
    elif provenance == "estimated" and not data.units:
        assert data.tokens
        assert data.tokens.input > 0
    else:
        assert data.backend
        (entry,) = here.regions[data.backend].log
        assert entry.usage
        billed = billed_by(entry.usage)
        if data.api == "audio.speech" and "output" in billed:
            billed["audio_output"] = billed["output"]  # all that speech puts out is sound
        assert counted(data) == billed


CHAT, STREAM = SHAPES["chat"], SHAPES["chat stream"]


@pytest.mark.parametrize("call", SHAPES)
async def test_all_regions_short_is_429_with_the_smallest_wait(here: Stage, call: str) -> None:
    shape = SHAPES[call]
    await here.anew()
    for region, wait_s in zip(here.regions.values(), (9, 4, 6), strict=True):
        region.faults.add(Throttle(retry_after_s=wait_s))
    told = await here.ask(shape)
    assert_refused(told, 429, "rate_limit_exceeded")
    assert (told.headers["retry-after"], told.headers["retry-after-ms"]) == ("4", "4000")
    assert [here.asked(name) for name in here.regions] == [1, 1, 1]
    assert_nothing_used(here, 429, attempts=3)


async def test_while_all_are_open_nobody_is_asked(here: Stage) -> None:
    await here.anew()
    for region in here.regions.values():
        region.faults.add(Throttle(retry_after_s=9))
    await here.ask(CHAT)
    here.clock.s += 2.5
    here.sink.events.clear()
    told = await here.ask(STREAM)
    assert_refused(told, 429, "rate_limit_exceeded")
    assert (told.headers["retry-after"], told.headers["retry-after-ms"]) == ("7", "6500")
    assert [here.asked(name) for name in here.regions] == [1, 1, 1]
    assert_nothing_used(here, 429, attempts=0)


@pytest.mark.parametrize("call", SHAPES)
async def test_all_regions_down_is_503(here: Stage, call: str) -> None:
    await here.anew()
    for region in here.regions.values():
        region.faults.add(HttpError(status=503, body="html"))
    told = await here.ask(SHAPES[call])
    assert_refused(told, 503, "backends_unavailable")
    assert told.headers["retry-after"] == "10"
    assert b"eu-1" not in told.body
    assert_nothing_used(here, 503, attempts=3)


async def test_one_that_is_short_among_those_that_fail_is_429(here: Stage) -> None:
    await here.anew()
    for name, fault in {
        FIRST: HttpError(status=500),
        SECOND: Throttle(retry_after_s=40),
        THIRD: HttpError(status=503),
    }.items():
        here.regions[name].faults.add(fault)
    told = await here.ask(CHAT)
    assert_refused(told, 429, "rate_limit_exceeded")
    assert told.headers["retry-after"] == "10"
    attempt, event = here.sink.events
    assert (attempt.id, attempt.data.status) == ("req-1.a1", 500)
    assert (event.data.status, event.data.attempts, event.data.provenance) == (429, 3, "none")


@pytest.mark.parametrize("call", ["chat", "chat stream"])
async def test_a_region_that_breaks_off_at_work_is_not_asked_again(here: Stage, call: str) -> None:
    """On a connection that was used before, where a close might also mean that it was idle."""
    await here.anew()
    await here.ask(CHAT)
    here.regions[FIRST].log.clear()
    here.sink.events.clear()
    here.regions[FIRST].faults.add(SlowFirstByte(delay_s=0.6))
    here.regions[FIRST].faults.add(Refuse())
    told = await here.ask(SHAPES[call])
    assert (told.status, told.headers["x-tollgate-backend"]) == (200, SECOND)
    assert [here.asked(name) for name in here.regions] == [1, 1, 0]
    assert [event.id for event in here.sink.events] == ["req-1.a1", "req-1"]


@pytest.mark.parametrize("call", ["chat", "chat stream"])
async def test_the_budget_of_attempts_is_kept_where_there_are_more_regions(
    five: Stage, call: str
) -> None:
    await five.anew()
    for name in FIVE[:3]:
        five.regions[name].faults.add(HttpError(status=503))
    told = await five.ask(SHAPES[call])
    assert_refused(told, 503, "backends_unavailable")
    assert [five.asked(name) for name in FIVE] == [1, 1, 1, 0, 0]
    five.sink.events.clear()
    assert (await five.ask(SHAPES[call])).headers["x-tollgate-backend"] == FIVE[3]
    assert [five.asked(name) for name in FIVE] == [1, 1, 1, 1, 0]


def assert_refused(told: Told, status: int, code: str) -> None:
    error = msgspec.json.decode(told.body)["error"]
    assert (told.status, error["code"]) == (status, code)
    assert set(error) == {"message", "type", "param", "code"}
    assert told.headers["x-request-id"] == "req-1"


def assert_nothing_used(here: Stage, status: int, attempts: int) -> None:
    (event,) = here.sink.events
    data = event.data
    assert (data.status, data.attempts, data.backend) == (status, attempts, None)
    assert (data.provenance, data.tokens) == ("none", NO_TOKENS)

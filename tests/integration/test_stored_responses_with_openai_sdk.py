"""Stored responses stay with the tenant and the region that made them, and are billed once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from itertools import permutations
from typing import Any

import openai
import pytest
from ledgers import memory_ledger
from openai import AsyncOpenAI
from openai.types.responses import Response
from proxying import OTHER_KEY
from serving import MINI, World, world

from tollgate.local.simulator.faults import Throttle
from tollgate.usage.event import UsageEvent, decode_event, encode_event
from tollgate.usage.periods import Month

pytestmark = pytest.mark.integration

DATED = "2025-04-01-preview"
# Once, and over at once: the next call comes here again.
SHORT = Throttle(times=1, retry_after_ms=1, form="milliseconds")
SURFACES = pytest.mark.parametrize("version", ["v1", DATED])


@pytest.fixture
async def here() -> AsyncGenerator[World]:
    async with world() as started:
        yield started


@pytest.fixture
async def client(here: World) -> AsyncGenerator[AsyncOpenAI]:
    async with here.v1() as opened:
        yield opened


@pytest.fixture
async def stranger(here: World) -> AsyncGenerator[AsyncOpenAI]:
    """Another tenant's."""
    async with here.v1(key=OTHER_KEY, companyName="fabrikam", billingCode="FB-7") as opened:
        yield opened


async def made_in_the_second_region(here: World, client: AsyncOpenAI) -> Response:
    here.fault(SHORT)
    made = await client.responses.create(model=MINI, input="Hi")
    assert here.sink.only.data.backend == "neu-1"
    return made


def seen_by(here: World, name: str) -> list[str]:
    return [f"{entry.method} {entry.operation}" for entry in here.regions[name].log]


async def test_a_response_goes_on_where_it_began(here: World, client: AsyncOpenAI) -> None:
    first = await made_in_the_second_region(here, client)
    await client.responses.create(model=MINI, input="Hi")
    await client.responses.create(model=MINI, input="On", previous_response_id=first.id)
    events = await here.events(3)
    assert [each.data.backend for each in events] == ["neu-1", "weu-1", "neu-1"]
    assert all(each.data.provenance == "measured" for each in events)


async def test_a_stream_goes_on_where_a_stream_began(here: World, client: AsyncOpenAI) -> None:
    here.fault(SHORT)
    first = ""
    async for event in await client.responses.create(model=MINI, input="Hi", stream=True):
        if event.type == "response.completed":
            first = event.response.id
    made = await client.responses.create(
        model=MINI, input="On", previous_response_id=first, stream=True
    )
    assert [event.type async for event in made][-1] == "response.completed"
    assert [each.data.backend for each in await here.events(2)] == ["neu-1", "neu-1"]


async def test_a_throttled_region_is_not_left_for_one_that_knows_nothing(
    here: World, client: AsyncOpenAI
) -> None:
    first = await made_in_the_second_region(here, client)
    here.fault(Throttle(retry_after_s=7), "neu-1")
    with pytest.raises(openai.RateLimitError) as refused:
        await client.responses.create(model=MINI, input="On", previous_response_id=first.id)
    assert 0 < int(refused.value.response.headers["retry-after"]) <= 7
    event = (await here.events(2))[-1]
    assert (event.data.status, event.data.provenance, event.data.attempts) == (429, "none", 1)
    assert seen_by(here, "weu-1") == ["POST responses"]
    assert seen_by(here, "swc-1") == []


async def test_another_tenants_response_cannot_be_gone_on_from(
    here: World, client: AsyncOpenAI, stranger: AsyncOpenAI
) -> None:
    first = await client.responses.create(model=MINI, input="Hi")
    with pytest.raises(openai.BadRequestError) as refused:
        await stranger.responses.create(model=MINI, input="On", previous_response_id=first.id)
    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"
    event = (await here.events(2))[-1]
    assert (event.data.tenant, event.data.provenance) == ("fabrikam", "none")
    assert len(here.asked) == 1


@SURFACES
async def test_ones_own_response_is_read_and_deleted(here: World, version: str) -> None:
    async with here.v1() if version == "v1" else here.azure(DATED) as client:
        made = await client.responses.create(model=MINI, input="Hi")
        read = await client.responses.retrieve(made.id)
        items = await client.responses.input_items.list(made.id)
        await client.responses.delete(made.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(made.id)
    assert (read.id, read.output_text) == (made.id, made.output_text)
    assert len(items.data) == 1
    apis = [(each.data.api, each.data.provenance) for each in await here.events(5)]
    assert apis == [
        ("responses", "measured"),
        ("responses.retrieve", "none"),
        ("responses.input_items", "none"),
        ("responses.delete", "none"),
        ("responses.retrieve", "none"),
    ]


async def test_a_stored_response_is_read_as_a_stream(here: World, client: AsyncOpenAI) -> None:
    made = await client.responses.create(model=MINI, input="Hi")
    again = await client.responses.retrieve(made.id, stream=True)
    assert [event.type async for event in again][-1] == "response.completed"
    read = (await here.events(2))[-1].data
    assert (read.provenance, read.streamed, read.api) == ("none", True, "responses.retrieve")


async def test_another_tenants_response_does_not_exist(
    here: World, client: AsyncOpenAI, stranger: AsyncOpenAI
) -> None:
    made = await client.responses.create(model=MINI, input="Hi", background=True)
    calls = (
        stranger.responses.retrieve,
        stranger.responses.delete,
        stranger.responses.cancel,
        stranger.responses.input_items.list,
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError):
            await call(made.id)
    assert seen_by(here, "weu-1") == ["POST responses"]
    assert {each.data.status for each in (await here.events(5))[1:]} == {404}


async def test_what_is_not_stored_cannot_be_referred_to(here: World, client: AsyncOpenAI) -> None:
    made = await client.responses.create(model=MINI, input="Hi", store=False)
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model=MINI, input="On", previous_response_id=made.id)
    assert refused.value.code == "previous_response_not_found"
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(made.id)
    assert len(here.asked) == 1


async def assert_completed(events: list[UsageEvent], billed: dict[str, int]) -> None:
    """The pending event and its completion give what the region bills, in whatever order."""
    pending, completion = events
    assert (pending.data.provenance, pending.data.tokens) == ("pending", None)
    assert pending.data.response_id
    assert (completion.id, completion.data.completes) == (pending.id, True)
    assert completion.data.provenance == "measured"
    for order in permutations(events):
        assert await ledger_total(*order) == billed
    assert await ledger_total(pending, completion, completion) == billed


async def ledger_total(*events: UsageEvent) -> dict[str, int]:
    ledger = memory_ledger()
    now = max(each.time for each in events)
    for each in events:
        await ledger.apply(decode_event(encode_event(each)), now=now)
    found: dict[str, int] = {"input": 0, "output": 0}
    for cell in ledger.cells(Month(now.year, now.month)).money:
        for name, meter in cell.usage.meters.items():
            found["output" if name.endswith("output") else "input"] += meter.quantity
    return found


def of_the_create(here: World) -> list[UsageEvent]:
    return [each for each in here.sink.events if each.data.api == "responses"]


@SURFACES
async def test_who_reads_the_end_of_a_background_response_completes_it(
    here: World, version: str
) -> None:
    async with here.v1() if version == "v1" else here.azure(DATED) as client:
        made = await client.responses.create(model=MINI, input="Hi", background=True)
        assert made.status == "queued"
        assert (await here.event()).data.provenance == "pending"
        statuses = [(await client.responses.retrieve(made.id)).status for _ in range(4)]
    assert statuses == ["in_progress", "completed", "completed", "completed"]
    events = await here.events(6)
    assert [each.data.provenance for each in events if each.data.api != "responses"] == ["none"] * 4
    await assert_completed(of_the_create(here), here.billed())
    assert await here.poll.ask_due() == 0


async def test_a_background_response_that_nobody_reads_is_completed(
    here: World, client: AsyncOpenAI
) -> None:
    made = await client.responses.create(model=MINI, input="Hi", background=True)

    async def ask() -> bool:
        await here.poll.ask_due()
        return len(here.sink.events) > 1

    while not await ask():
        pass
    await assert_completed(await here.events(2), here.billed())
    assert (await client.responses.retrieve(made.id)).status == "completed"
    assert (await here.events(3))[-1].data.provenance == "none"


async def test_a_background_stream_that_is_left_is_completed() -> None:
    async with world(drain_s=0.0) as here, here.v1() as client:
        stream = await client.responses.create(
            model=MINI, input="Write 3000 words", background=True, stream=True
        )
        made = ""
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
            if event.type == "response.created":
                made = event.response.id
        await stream.close()
        pending = await here.event()
        assert (pending.data.response_id, pending.data.cancelled) == (made, True)
        while len(here.sink.events) == 1:
            await here.poll.ask_due()
        usage = (await client.responses.retrieve(made)).usage
        assert usage
        said = {"input": usage.input_tokens, "output": usage.output_tokens}
        assert said["output"] == 3000
        await assert_completed(of_the_create(here), said)


async def test_a_background_stream_that_is_taken_is_measured(
    here: World, client: AsyncOpenAI
) -> None:
    made = await client.responses.create(model=MINI, input="Hi", background=True, stream=True)
    assert [event.type async for event in made][-1] == "response.completed"
    data = (await here.event()).data
    assert (data.provenance, data.tokens and data.tokens.output) == (
        "measured",
        here.billed()["output"],
    )
    assert await here.poll.ask_due() == 0


async def test_a_cancelled_background_response_is_left_to_the_backfill(
    here: World, client: AsyncOpenAI
) -> None:
    made = await client.responses.create(model=MINI, input="Hi", background=True)
    assert (await client.responses.cancel(made.id)).status == "cancelled"
    events = await here.events(2)
    assert [each.data.provenance for each in events] == ["pending", "none"]
    assert await here.poll.ask_due() == 1
    assert (await here.poll.ask_due(), here.poll.left_to_backfill) == (0, 1)


async def test_each_of_many_conversations_stays_where_it_is(
    here: World, client: AsyncOpenAI
) -> None:
    made: list[Any] = []
    for name in here.regions:
        for other in here.regions:
            if other != name:
                here.fault(SHORT, other)
        made.append((name, await client.responses.create(model=MINI, input="Hi")))
        for region in here.regions.values():
            region.faults.clear()
    for name, response in made:
        more = await client.responses.with_raw_response.create(
            model=MINI, input="On", previous_response_id=response.id
        )
        assert more.headers["x-tollgate-backend"] == name

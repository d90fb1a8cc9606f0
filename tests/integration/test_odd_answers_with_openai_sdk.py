"""Filters, failures and errors of the provider: a client sees them as they are; all are counted."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from serving import MINI, VECTORS, World, there
from twins import DIRECT, Case, Shape, billed_by, counted, lasting, seen_by_both

from tollgate.local.simulator.faults import ContentFilter, Fault, NoUsageFrame, ResponsesFailed
from tollgate.usage.tokens import NO_TOKENS

pytest_plugins = ["twins"]
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

CHAT, RESPONSES = "chat.completions", "responses"
FAILED = ResponsesFailed(with_usage=True)
SILENTLY_FAILED = ResponsesFailed()
CUT = ContentFilter(on="completion")


def chat(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        hi = [{"role": "user", "content": "Say hi in 20 words"}]
        made = await client.chat.completions.create(model=model, **{"messages": hi, **options})
        return [chunk async for chunk in made] if options.get("stream") else made

    return ask


def response(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        made = await client.responses.create(model=model, **{"input": "Say hi", **options})
        return [event async for event in made] if options.get("stream") else made

    return ask


CASES: dict[str, tuple[Case, Fault]] = {
    "a filtered answer": (Case(chat(), CHAT), CUT),
    "a filtered stream": (Case(chat(stream=True), CHAT, "injected", streamed=True), CUT),
    "a filtered response": (Case(response(), RESPONSES), CUT),
    "a filtered stream of a response": (
        Case(response(stream=True), RESPONSES, streamed=True),
        CUT,
    ),
    "a failed response": (Case(response(), RESPONSES), FAILED),
    "a failed stream of a response": (
        Case(response(stream=True), RESPONSES, streamed=True),
        FAILED,
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_ends_early_is_seen_and_counted(here: World, name: str) -> None:
    case, fault = CASES[name]
    here.fault(fault, "weu-1", DIRECT)
    ours, theirs = await seen_by_both(here, case.shape, case.model, "v1")
    data = (await here.event()).data
    (entry,) = here.asked
    assert ours == theirs
    assert entry.usage
    assert (data.provenance, counted(data)) == (case.provenance, billed_by(entry.usage))
    assert (data.api, data.streamed, data.model) == (case.api, case.streamed, MINI)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_response_that_fails_without_a_word_on_usage_is_not_counted_as_nothing(
    here: World,
    streamed: bool,  # noqa: FBT001  a case
) -> None:
    here.fault(SILENTLY_FAILED, *here.regions)
    ours, theirs = await seen_by_both(here, response(stream=streamed), MINI, "v1")
    assert ours == theirs
    data = (await here.event()).data
    assert (data.provenance in {"unknown", "estimated"}, data.delivered) == (True, True)


async def test_a_stream_without_its_usage_is_estimated(here: World) -> None:
    here.fault(NoUsageFrame(), "weu-1", DIRECT)
    ours, theirs = await seen_by_both(here, chat(stream=True), MINI, "v1")
    assert ours == theirs
    data = (await here.event()).data
    assert data.provenance == "estimated"
    assert data.tokens
    assert data.tokens.output > 0


async def error_of(client: Any, shape: Shape, model: str) -> Any:
    async with client:
        with pytest.raises(openai.APIStatusError) as refused:
            await shape(client, model)
    error = refused.value
    return [type(error).__name__, error.status_code, lasting(error.body)]


@pytest.mark.parametrize("version", ["v1", "2025-04-01-preview"])
@pytest.mark.parametrize(
    ("shape", "model"),
    [
        (chat(messages=[{"role": "user", "content": "word " * 130_000}]), MINI),
        (chat(max_tokens=5), "o4-mini"),
        (chat(messages=[]), MINI),
        (chat(), VECTORS),
    ],
    ids=["too long", "not for this model", "no message", "not this api"],
)
async def test_an_error_of_the_request_is_the_clients_and_costs_nothing(
    here: World, shape: Shape, model: str, version: str
) -> None:
    ours = await error_of(here.v1() if version == "v1" else here.azure(version), shape, model)
    data = (await here.event()).data
    assert (data.provenance, data.tokens, data.attempts) == ("none", NO_TOKENS, 1)
    assert (data.status, data.model) == (400, model)
    region = here.regions[DIRECT]
    theirs = await error_of(here.at_a_region(DIRECT, version), shape, there(model))
    region.log.clear()
    assert ours == theirs


@pytest.mark.parametrize("version", ["v1", "2024-10-21"])
async def test_the_models_are_listed(here: World, version: str) -> None:
    async with here.v1() if version == "v1" else here.azure() as client:
        names = [model.id async for model in client.models.list()]
        one = await client.models.retrieve(MINI)
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("gpt-9")
    assert {MINI, VECTORS, "gpt-image-1", "whisper"} <= set(names)
    assert (one.id, one.object) == (MINI, "model")
    events = await here.events(3)
    kept = [(each.data.api, each.data.provenance, each.data.status) for each in events]
    assert kept == [
        ("models.list", "none", 200),
        ("models.retrieve", "none", 200),
        ("models.retrieve", "none", 404),
    ]
    assert here.asked == []


async def test_the_deployments_are_listed(here: World) -> None:
    async with here.v1() as client:
        for path in ("/deployments", f"/deployments/{MINI}"):
            found: Any = await client.get(path, cast_to=object)
            assert MINI in str(found)
            assert found["object"] in {"list", "deployment"}
    events = await here.events(2)
    assert [each.data.api for each in events] == ["deployments.list", "deployments.retrieve"]

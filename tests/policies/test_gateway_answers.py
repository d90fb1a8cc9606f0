"""What the gateway answers by itself: what it refuses, and what its cache has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import pytest
from policies.behind import MINI
from policies.comparing import (
    both_surfaces,
    both_topologies,
    comparable,
    paid_by_alice,
    streamed_or_not,
)
from policies.evaluator import Evaluator
from policies.gateway_steps import BLOCKED_WORD
from policies.messages import Reply
from policies.world import PolicyWorld, Surface, Topology, policy_world

from tollgate.local.simulator.faults import HttpError

_ZERO: Final = {"input": 0, "output": 0}


def over_limit(world: PolicyWorld) -> None:
    """The subscription has used what it may in a minute."""
    world.gateway.tokens_used[f"sub-42/{MINI}"] = 100_001


def over_quota(world: PolicyWorld) -> None:
    """The subscription has used what it may in a month."""
    world.gateway.tokens_used["sub-42"] = 50_000_001


def unarranged(world: PolicyWorld) -> None:
    """Nothing is special."""


@dataclass(frozen=True)
class Refusal:
    """What the gateway refuses, which the proxy does not do."""

    status: int
    code: str
    arrange: Callable[[PolicyWorld], None] = unarranged
    prompt: str = "Say hi to me"


REFUSALS: Final = {
    "over limit": Refusal(429, "rate_limit_exceeded", over_limit),
    "over quota": Refusal(403, "insufficient_quota", over_quota),
    "content blocked": Refusal(403, "content_filter", prompt=f"say {BLOCKED_WORD}"),
}


@both_topologies
@both_surfaces
@streamed_or_not
@pytest.mark.parametrize("name", REFUSALS)
async def test_what_the_gateway_refuses_reaches_no_region_and_costs_nothing(
    evaluator: Evaluator, topology: Topology, surface: Surface, name: str, *, streamed: bool
) -> None:
    refusal = REFUSALS[name]
    async with policy_world(evaluator, topology) as world:
        refusal.arrange(world)
        messages = [{"role": "user", "content": refusal.prompt}]
        answer = await world.chat(surface, stream=streamed, messages=messages)
        event = await world.event()
    assert (answer.status, answer.error["code"]) == (refusal.status, refusal.code)
    assert ("Retry-After" in answer.headers) == (refusal.status == 429)
    assert answer.headers["x-request-id"] == event.id
    assert world.asked == []
    assert comparable(event) == paid_by_alice(
        status=refusal.status, provenance="none", tokens=_ZERO, attempts=0, streamed=streamed
    )


@both_topologies
@both_surfaces
async def test_answer_from_the_cache_is_reported_with_what_it_saved(
    evaluator: Evaluator, topology: Topology, surface: Surface
) -> None:
    async with policy_world(evaluator, topology) as world:
        first = await world.chat(surface)
        again = await world.chat(surface)
        served, cached = sorted(await world.events(), key=lambda event: event.data.cache_hit)
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["x-request-id"] == cached.id != served.id
    assert len(world.asked) == 1
    assert served.data.tokens is not None
    assert comparable(cached) == paid_by_alice(
        status=200,
        provenance="measured",
        tokens=_ZERO,
        attempts=0,
        cache_hit=True,
        saved=msgspec.to_builtins(served.data.tokens),
        model=MINI,
        model_version="2024-07-18",
        deployment_type="standard",
        scope="regional",
        service_tier="default",
    )


@both_topologies
@both_surfaces
async def test_stream_is_not_answered_from_the_cache(
    evaluator: Evaluator, topology: Topology, surface: Surface
) -> None:
    async with policy_world(evaluator, topology) as world:
        for _ in range(2):
            await world.chat(surface, stream=True)
        assert [event.data.cache_hit for event in await world.events()] == [False, False]
    assert len(world.asked) == 2


@both_topologies
async def test_answer_in_the_cache_is_another_callers_no_more_than_its_tokens_are(
    evaluator: Evaluator, topology: Topology
) -> None:
    async with policy_world(evaluator, topology) as world:
        await world.chat()
        (key,) = world.gateway.cache
        world.gateway.cache = {key.replace("sub-42", "sub-43"): Reply(200)}
        await world.chat()
    assert len(world.asked) == 2


@both_topologies
async def test_answer_in_the_cache_is_another_deployments_neither(
    evaluator: Evaluator, topology: Topology
) -> None:
    async with policy_world(evaluator, topology) as world:
        await world.chat("v1")
        await world.chat("v1", model="another")
        assert [event.data.cache_hit for event in await world.events()] == [False, False]


@both_topologies
async def test_failure_is_not_kept_in_the_cache(evaluator: Evaluator, topology: Topology) -> None:
    async with policy_world(evaluator, topology) as world:
        world.regions["weu-1"].faults.add(HttpError(status=404, times=1))
        assert (await world.chat()).status == 404
        assert world.gateway.cache == {}

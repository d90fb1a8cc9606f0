"""Every outcome of a call, on both surfaces, streamed or not, with the proxy behind and without.

What goes upstream, what the client gets, and the event; which is what the proxy emits for the same
call, but for what only the proxy can know.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest
from policies.comparing import both_surfaces, both_topologies, comparable, streamed_or_not
from policies.evaluator import Evaluator
from policies.world import (
    BILLED,
    MINI,
    REGIONS,
    Answer,
    PolicyWorld,
    Surface,
    Topology,
    chat_path,
    policy_world,
    proxy_listening,
    region_settings,
)
from proxying import TRUSTED_KEY, RecordingSink

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.faults import ContentFilter, Throttle
from tollgate.local.simulator.region import regions_listening
from tollgate.usage.event import UsageEvent

# Of a stream that no policy may read: its log completes it.
_COMPLETED_LATER: Final = ("provenance", "tokens", "service_tier", "response_id")


def nothing(regions: dict[str, SimulatedRegion]) -> None:
    """All is well."""


def first_throttles(regions: dict[str, SimulatedRegion]) -> None:
    """The first region has no capacity for one call."""
    regions["weu-1"].faults.add(Throttle(times=1))


def all_throttle(regions: dict[str, SimulatedRegion]) -> None:
    """No region has capacity."""
    for region in regions.values():
        region.faults.add(Throttle())


def first_filters(regions: dict[str, SimulatedRegion]) -> None:
    """The content filter of the first region blocks the prompt, which is billed."""
    regions["weu-1"].faults.add(ContentFilter(on="prompt"))


@dataclass(frozen=True)
class Outcome:
    """A call that goes one way or another.

    Args:
        status: What the client gets.
        code: The error's code.
        attempts: How many requests reach the regions.
        arrange: Makes the regions so.
        headers: The client sends in place of its usual ones.
        query: The client sends.
    """

    status: int
    code: str | None = None
    attempts: int = 1
    arrange: Callable[[dict[str, SimulatedRegion]], None] = nothing
    headers: dict[str, str] = field(default_factory=dict[str, str])
    query: dict[str, str] = field(default_factory=lambda: dict(BILLED))


SHARED: Final = {
    "success": Outcome(200),
    "429 then success": Outcome(200, attempts=2, arrange=first_throttles),
    "all backends out": Outcome(429, "rate_limit_exceeded", 3, all_throttle),
    "prompt blocked by the provider": Outcome(400, "content_filter", arrange=first_filters),
    "bad key": Outcome(401, "invalid_api_key", 0, headers={"api-key": "no-key"}),
    "unknown billing code": Outcome(200, query=BILLED | {"billingCode": "CC-9"}),
    "no claims": Outcome(200, query={}),
    "wrong company": Outcome(
        403, "company_mismatch", 0, query=BILLED | {"companyName": "Fabrikam"}
    ),
    "low priority": Outcome(200, headers={"x-priority": "low"}),
    "no priority": Outcome(400, "invalid_priority", 0, headers={"x-priority": "middling"}),
    "long claim": Outcome(400, "invalid_billing_parameter", 0, query={"username": "x" * 129}),
}


async def ask(world: PolicyWorld, surface: Surface, outcome: Outcome, *, streamed: bool) -> Answer:
    """The call of an outcome."""
    return await world.chat(surface, headers=outcome.headers, query=outcome.query, stream=streamed)


@asynccontextmanager
async def reference_world(arrange: Callable[[dict[str, SimulatedRegion]], None]):  # noqa: ANN201
    """A proxy alone, in front of regions of its own."""
    sink = RecordingSink()
    async with regions_listening(map(region_settings, REGIONS)) as regions:
        arrange(regions)
        async with proxy_listening(regions, sink) as url:
            yield url, sink


async def proxys_event(
    world: PolicyWorld, surface: Surface, outcome: Outcome, *, streamed: bool
) -> UsageEvent:
    """What the proxy emits for the call, when a trusted caller asks for the subscription."""
    path, version = chat_path(surface)
    is_known = "api-key" not in outcome.headers
    names = {"username": "user", "companyName": "company", "billingCode": "billing-code"}
    claims = {f"x-tollgate-{names[name]}": text for name, text in outcome.query.items()}
    headers = {
        **outcome.headers,
        "api-key": TRUSTED_KEY,
        "x-tollgate-subscription": "sub-42" if is_known else "",
        **claims,
    }
    body = {"model": MINI, "messages": [{"role": "user", "content": "Say hi to me"}]}
    async with (
        reference_world(outcome.arrange) as (url, sink),
        world.client.post(
            url + path, params=version, headers=headers, json=body | {"stream": streamed}
        ) as answer,
    ):
        await answer.read()
    return sink.only


@both_topologies
@both_surfaces
@streamed_or_not
@pytest.mark.parametrize("name", SHARED)
async def test_event_is_the_one_that_the_proxy_emits(
    evaluator: Evaluator, topology: Topology, surface: Surface, name: str, *, streamed: bool
) -> None:
    outcome = SHARED[name]
    async with policy_world(evaluator, topology) as world:
        outcome.arrange(world.regions)
        answer = await ask(world, surface, outcome, streamed=streamed)
        event = await world.event()
        assert answer.status == outcome.status
        assert len(world.asked) == outcome.attempts
        assert answer.headers["x-request-id"] == event.id
        if outcome.code == "rate_limit_exceeded" and topology == "direct":
            assert answer.error["code"] == "RateLimitReached"  # the region's own words
        elif outcome.code is not None:
            assert answer.error["code"] == outcome.code
        expected = await proxys_event(world, surface, outcome, streamed=streamed)
    is_pending = topology == "direct" and streamed and outcome.status == 200
    left_out = _COMPLETED_LATER if is_pending else ()
    assert comparable(event, *left_out) == comparable(expected, *left_out)
    assert not is_pending or (event.data.provenance, event.data.tokens) == ("pending", None)

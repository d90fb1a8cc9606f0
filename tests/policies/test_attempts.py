"""Where the attempts of a call go in the direct topology, and what becomes of those that fail."""

from __future__ import annotations

from typing import Any

import pytest
from policies.behaviours import event_of
from policies.behind import IDENTITY, MINI
from policies.evaluator import Evaluator
from policies.scripted import answers
from policies.world import PolicyWorld, policy_world, unchanged
from proxying import KEY

from tollgate.local.simulator.faults import HttpError, Reset, Throttle
from tollgate.usage.estimate import estimate_prompt, estimated_counts

PTU = {"ptu-deployments": f"other=global;{MINI}=data_zone", "ptu-backend-id": "swc-1"}


def asked(world: PolicyWorld) -> dict[str, int]:
    """How often each region was asked."""
    return {name: len(region.log) for name, region in world.regions.items() if len(region.log)}


async def test_high_request_goes_to_provisioned_throughput_first(evaluator: Evaluator) -> None:
    async with policy_world(evaluator, values=PTU) as world:
        await world.chat()
        data = (await world.event()).data
        assert asked(world) == {"swc-1": 1}
    assert (data.deployment_type, data.scope) == ("provisioned", "data_zone")
    assert (data.attempts, data.region) == (1, "swedencentral")


async def test_provisioned_throughput_that_is_full_gives_way_to_the_pool(
    evaluator: Evaluator,
) -> None:
    async with policy_world(evaluator, values=PTU) as world:
        world.regions["swc-1"].faults.add(Throttle(times=1))
        answer = await world.chat()
        data = (await world.event()).data
        assert asked(world) == {"swc-1": 1, "weu-1": 1}
    assert answer.status == 200
    assert (data.deployment_type, data.scope) == ("standard", "regional")
    assert (data.attempts, data.region) == (2, "westeurope")


@pytest.mark.parametrize(
    ("headers", "values"),
    [
        ({"x-priority": "LOW"}, {}),
        ({"Priority": "u=5, i"}, {}),
        ({"Priority": "i, u=7"}, {}),
        ({"Priority": "4"}, {}),
        ({"x-priority": "high"}, {"low-priority-tenants": "fabrikam; contoso"}),
    ],
)
async def test_low_request_leaves_provisioned_throughput_alone(
    evaluator: Evaluator, headers: dict[str, str], values: dict[str, str]
) -> None:
    async with policy_world(evaluator, values=PTU | values) as world:
        await world.chat(headers=headers)
        data = (await world.event()).data
        assert asked(world) == {"weu-1": 1}
    assert (data.priority, data.deployment_type) == ("low", "standard")


@pytest.mark.parametrize(
    "headers", [{"Priority": "u=3"}, {"Priority": "whatever"}, {"x-priority": "high"}]
)
async def test_other_requests_are_high(evaluator: Evaluator, headers: dict[str, str]) -> None:
    async with policy_world(evaluator) as world:
        await world.chat(headers=headers)
        assert (await world.event()).data.priority == "high"


async def test_lanes_are_limited_apart(evaluator: Evaluator) -> None:
    async with policy_world(evaluator) as world:
        world.gateway.tokens_used[f"sub-42/{MINI}/low"] = 1_001
        assert (await world.chat(headers={"x-priority": "low"})).status == 429
        assert (await world.chat()).status == 200
        assert set(world.gateway.tokens_used) == {
            f"sub-42/{MINI}",
            f"sub-42/{MINI}/low",
            "sub-42",
        }


async def test_open_breakers_of_all_backends_are_answered_with_503_and_cost_nothing(
    evaluator: Evaluator,
) -> None:
    async with policy_world(evaluator) as world:
        for region in world.regions.values():
            region.faults.add(Throttle())
        await world.chat()
        answer = await world.chat()
        refused = next(each for each in await world.events() if each.data.status == 503)
    assert (answer.status, answer.error["code"]) == (503, "backends_unavailable")
    assert (refused.data.provenance, refused.data.model) == ("none", None)
    assert refused.data.attempts == 0


async def test_broken_connection_is_not_asked_again_and_may_have_cost(evaluator: Evaluator) -> None:
    async with policy_world(evaluator) as world:
        world.regions["weu-1"].faults.add(Reset())
        answer = await world.chat()
        data = (await world.event()).data
        assert asked(world) == {"weu-1": 1}
    assert (answer.status, answer.error["type"]) == (500, "server_error")
    assert (data.provenance, data.tokens, data.attempts) == ("unknown", None, 1)
    assert (data.model, data.deployment_type) == (MINI, "standard")


async def test_broken_connection_after_a_429_is_not_asked_again(evaluator: Evaluator) -> None:
    async with policy_world(evaluator, values=PTU) as world:
        world.regions["swc-1"].faults.add(Throttle(times=1))
        world.regions["weu-1"].faults.add(Reset(times=1))
        answer = await world.chat()
        data = (await world.event()).data
        assert asked(world) == {"swc-1": 1, "weu-1": 1}
    assert answer.status == 500
    assert (data.provenance, data.tokens, data.attempts) == ("unknown", None, 2)


@pytest.mark.parametrize(
    ("fault", "provenance"),
    [
        (HttpError(status=500), "unknown"),
        (HttpError(status=408), "unknown"),
        (HttpError(status=404, code="DeploymentNotFound"), "none"),
        (HttpError(status=400, body="html"), "unknown"),
        (HttpError(status=401), "none"),
    ],
)
async def test_error_of_a_backend_passes_and_is_free_only_for_certain(
    evaluator: Evaluator, fault: HttpError, provenance: str
) -> None:
    async with policy_world(evaluator) as world:
        world.regions["weu-1"].faults.add(fault)
        answer = await world.chat()
        data = (await world.event()).data
    assert answer.status == data.status
    assert data.provenance == provenance
    assert (data.tokens is None) == (provenance == "unknown")
    assert data.model == MINI


@pytest.mark.parametrize(
    "prompt",
    [
        {"messages": [{"role": "user", "name": "zoë", "content": "Grüße, 中 and 😀😀😀"}]},
        {"messages": [{"content": [{"type": "text", "text": "see"}, {"image_url": {"url": "x"}}]}]},
        {"messages": [{"tool_calls": [{"function": {"name": "f"}}], "content": None}]},
        {"tools": [{"name": "find", "description": "Finds.", "parameters": {"type": "object"}}]},
        {"input": [1, 2, 3], "instructions": "Be brief"},
        {"input": [[1, 2], [3, True, 1.5, "four"]], "suffix": "x"},
        {"input": [{"output": "19 °C", "arguments": "{}"}, "plain"], "prompt": "again"},
        {"input": 7, "prompt": {"content": {"text": {"text": "deep"}}}, "seed": 1},
        {"messages": []},
    ],
)
async def test_blocked_prompt_is_estimated_as_the_proxy_estimates_it(
    evaluator: Evaluator, prompt: dict[str, Any]
) -> None:
    blocked = {"error": {"code": "content_filter", "message": "blocked"}}
    async with (
        answers(blocked, 400).listening() as backend,
        policy_world(evaluator, backend_url=backend.url) as world,
    ):
        await world.post("/openai/v1/responses", prompt, headers={"api-key": KEY})
        data = (await world.event()).data
    expected = estimated_counts(estimate_prompt(prompt), 0)
    assert (data.provenance, data.tokens) == ("estimated", expected)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -1, "completion_tokens": 5},
        {"prompt_tokens": "10", "completion_tokens": 5},
        {"prompt_tokens": 10},
        {"prompt_tokens": 1.5, "completion_tokens": 5},
        [],
        None,
    ],
)
async def test_counts_that_are_none_are_not_known(evaluator: Evaluator, usage: Any) -> None:
    data = await event_of(evaluator, unchanged, {"usage": usage})
    assert (data.provenance, data.tokens) == ("unknown", None)


async def test_parts_that_are_more_than_their_whole_are_not_known(evaluator: Evaluator) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    details = {"prompt_tokens_details": {"cached_tokens": 11}}
    data = await event_of(evaluator, unchanged, {"usage": usage | details})
    assert data.tokens is not None
    assert (data.tokens.input, data.tokens.cached_input) == (10, None)


async def test_backend_is_called_with_the_gateways_identity(evaluator: Evaluator) -> None:
    async with (
        answers({}).listening() as backend,
        policy_world(evaluator, backend_url=backend.url) as world,
    ):
        await world.chat(headers={"Authorization": "Bearer of-the-client"})
        (request,) = backend.asked
    assert request.headers.getall("Authorization") == [f"Bearer {IDENTITY}"]
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.path_qs == f"/openai/deployments/{MINI}/chat/completions?api-version=2024-10-21"

"""What the gateway reports beside its answers: by the hub, in metrics and traces; and claims."""

from __future__ import annotations

import json
from typing import Any

import pytest
from policies.behind import MINI, VECTORS
from policies.comparing import both_topologies, comparable
from policies.evaluator import Evaluator
from policies.world import BILLED, FRAGMENTS, Topology, policy_world
from proxying import KEY

from tollgate.usage.event import UsageEvent

OPTIONAL = [
    "tollgate-token-limit",
    "tollgate-content-safety",
    "tollgate-token-metric",
    "tollgate-cache-lookup",
    "tollgate-cache-store",
    "tollgate-stream-usage",
]


def to_the_hub(name: str, text: str) -> str:
    """Sends events to the Event Hub, as the README says."""
    del name
    return text.replace("tollgate-emit-event-grid", "tollgate-emit-event-hub")


@both_topologies
async def test_event_goes_to_the_hub_instead(evaluator: Evaluator, topology: Topology) -> None:
    async with policy_world(evaluator, topology, edit=to_the_hub) as world:
        await world.chat()
        await world.chat()
        await world.chat(headers={"api-key": "no-key"})
        events = await world.events()
        assert world.topic.events == []
    assert sorted(event.data.cache_hit for event in events) == [False, False, True]
    assert len({event.id for event in events}) == 3


@both_topologies
@pytest.mark.parametrize("name", OPTIONAL)
async def test_optional_fragment_may_be_left_out(
    evaluator: Evaluator, topology: Topology, name: str
) -> None:
    line = f'<include-fragment fragment-id="{name}" />'
    assert name in FRAGMENTS

    def without(file: str, text: str) -> str:
        del file
        return text.replace(line, "")

    async with policy_world(evaluator, topology, edit=without) as world:
        assert (await world.chat()).status == 200
        assert (await world.chat(stream=True)).status == 200
        assert len(await world.events()) == 2


@both_topologies
async def test_token_metric_has_the_payers_dimensions(
    evaluator: Evaluator, topology: Topology
) -> None:
    async with policy_world(evaluator, topology) as world:
        await world.chat()
        await world.chat(query={"billingCode": "made-up"}, messages=[])
    usual = {"tenant": "contoso", "deployment": MINI, "priority": "high"}
    assert world.gateway.metrics == [
        ("tollgate", usual | {"billing_code": "CC-1001"}),
        ("tollgate", usual | {"billing_code": ""}),
    ]


@both_topologies
async def test_claimed_code_stands_in_the_log(evaluator: Evaluator, topology: Topology) -> None:
    async with policy_world(evaluator, topology) as world:
        await world.chat(query={"billingCode": 'CC"9'})
    assert [json.loads(each) for each in world.gateway.traces] == [{"billing_code": 'CC"9'}]


@both_topologies
async def test_unknown_billing_code_is_refused_where_that_is_set(
    evaluator: Evaluator, topology: Topology
) -> None:
    async with policy_world(
        evaluator, topology, values={"unknown-billing-code": "reject"}
    ) as world:
        answer = await world.chat(query=BILLED | {"billingCode": "CC-9"})
        data = (await world.event()).data
        assert world.asked == []
    assert (answer.status, answer.error["code"]) == (403, "unknown_billing_code")
    assert (data.tenant, data.billing_code, data.provenance) == ("contoso", None, "none")


@both_topologies
@pytest.mark.parametrize(
    "query",
    [
        [("billingCode", "CC-1001"), ("billingCode", "CC-1002")],
        [("billingCode", "CC-1001"), ("BILLINGCODE", "CC-1001")],
        [("username", "a\nb")],
    ],
)
async def test_claim_that_cannot_be_decided_is_refused(
    evaluator: Evaluator, topology: Topology, query: Any
) -> None:
    async with policy_world(evaluator, topology) as world:
        answer = await world.post(
            "/openai/v1/chat/completions", {}, params=query, headers={"api-key": KEY}
        )
        data = (await world.event()).data
        assert world.asked == []
    assert (answer.status, answer.error["code"]) == (400, "invalid_billing_parameter")
    assert (data.billing_code, data.user, data.subscription) == (None, None, "sub-42")


@both_topologies
async def test_claims_beyond_ascii_arrive_as_they_were_made(
    evaluator: Evaluator, topology: Topology
) -> None:
    async with policy_world(evaluator, topology) as world:
        await world.chat(query={"username": "Zoë 100% 中", "companyName": "CONTOSO gmbh"})
        data = (await world.event()).data
    assert data.user == "Zoë 100% 中"


@pytest.mark.parametrize(
    ("path", "body", "api"),
    [
        ("/openai/v1/embeddings", {"model": VECTORS, "input": "hi"}, "embeddings"),
        (f"/openai/deployments/{VECTORS}/embeddings", {"input": "hi"}, "embeddings"),
        (f"/openai/deployments/{MINI}/completions", {"prompt": "hi"}, "completions"),
        ("/openai/v1/responses", {"model": MINI, "input": "hi", "store": False}, "responses"),
    ],
)
async def test_other_operations_are_measured_as_the_proxy_measures_them(
    evaluator: Evaluator, path: str, body: dict[str, Any], api: str
) -> None:
    version = {} if "/v1/" in path else {"api-version": "2024-10-21"}
    topologies: tuple[Topology, ...] = ("direct", "proxy")
    events: list[UsageEvent] = []
    for topology in topologies:
        async with policy_world(evaluator, topology) as world:
            answer = await world.post(path, body, params=version, headers={"api-key": KEY})
            assert answer.status == 200
            events.append(await world.event())
    direct, proxied = events
    assert (direct.data.api, direct.data.provenance) == (api, "measured")
    assert comparable(direct) == comparable(proxied)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/openai/v1/files", {}, "not_found"),
        ("/openai/v1/responses", {"previous_response_id": "resp_1"}, "stored_state_not_served"),
        ("/openai/v1/responses", {"conversation": {"id": "conv_1"}}, "stored_state_not_served"),
        ("/openai/v1/responses", {"background": True}, "stored_state_not_served"),
    ],
)
async def test_what_cannot_be_counted_is_not_served_directly(
    evaluator: Evaluator, path: str, body: dict[str, Any], code: str
) -> None:
    async with policy_world(evaluator) as world:
        answer = await world.post(path, body, headers={"api-key": KEY})
        data = (await world.event()).data
        assert world.asked == []
    assert answer.error["code"] == code
    assert (data.provenance, data.attempts, data.tenant) == ("none", 0, "contoso")

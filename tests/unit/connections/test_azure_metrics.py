from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from metrics_service import MetricsService, resource_id, serving_metrics

from tollgate.connections.azure_metrics import MAX_RESOURCES, RegionMetrics
from tollgate.errors import MetricsUnavailable

OCTOBER = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
TOKENS = ["ProcessedPromptTokens", "GeneratedTokens"]
WEU = resource_id("aoai-weu")


class World(NamedTuple):
    service: MetricsService
    metrics: RegionMetrics

    async def asks(self, *resources: str, max_series: int = 1000) -> list[dict[str, Any]]:
        answers = await self.metrics.daily_sums(
            resources, TOKENS, ["ModelDeploymentName"], OCTOBER, max_series
        )
        return [value for each in answers for value in json.loads(each)["values"]]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    service = MetricsService()
    async with serving_metrics(service) as client:
        metrics = RegionMetrics("unused", client)
        yield World(service, metrics)
        await metrics.close()


async def test_an_answer_is_as_the_service_sent_it(world: World) -> None:
    world.service.add(WEU, TOKENS[0], "2026-10-15", 700.0, ModelDeploymentName="mini")
    (answer,) = await world.asks(WEU)
    assert answer["resourceid"] == WEU
    prompt, generated = answer["value"]
    assert prompt["timeseries"][0]["data"] == [{"timeStamp": "2026-10-15T00:00:00Z", "total": 700}]
    assert generated["timeseries"] == []


async def test_it_asks_for_daily_sums_of_the_whole_span_and_of_every_series(world: World) -> None:
    await world.asks(WEU)
    (query,) = world.service.queries
    assert (query["starttime"], query["endtime"]) == (
        "2026-10-01T00:00:00.000Z",
        "2026-11-01T00:00:00.000Z",
    )
    assert (query["interval"], query["aggregation"], query["top"]) == ("P1D", "Total", "1000")
    assert query["filter"] == "ModelDeploymentName eq '*'"
    assert world.service.authorised == {"Bearer token"}


async def test_a_query_is_of_one_subscription_and_of_fifty_resources_at_most(world: World) -> None:
    many = [resource_id(f"aoai-{number}") for number in range(MAX_RESOURCES + 1)]
    other = resource_id("aoai-other", "00000000-0000-0000-0000-000000000002")
    found = await world.asks(*many, other)
    assert [len(ids) for ids in world.service.asked] == [50, 1, 1]
    assert {each["resourceid"] for each in found} == {*many, other}


async def test_a_busy_service_is_asked_again_and_answers_once(world: World) -> None:
    world.service.answers = [429, 503]
    assert len(await world.asks(WEU)) == 1


@pytest.mark.parametrize(
    ("status", "advice"), [(403, "; it needs the role Monitoring Reader"), (429, ""), (500, "")]
)
async def test_a_service_that_does_not_answer_is_told(
    world: World, status: int, advice: str
) -> None:
    world.service.answers = [status] * 20
    with pytest.raises(MetricsUnavailable, match=f"Azure Monitor answered {status}{advice}"):
        await world.asks(WEU)


async def test_a_service_that_cannot_be_reached_is_told() -> None:
    async with serving_metrics(MetricsService()) as client:
        metrics = RegionMetrics("unused", client)
    with pytest.raises(MetricsUnavailable, match="ServiceRequestError"):
        await metrics.daily_sums([WEU], TOKENS, ["ModelDeploymentName"], OCTOBER, 10)
    await metrics.close()


async def test_without_a_client_our_identity_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # of which there is none
    metrics = RegionMetrics("https://westeurope.metrics.monitor.azure.com")
    with pytest.raises(MetricsUnavailable, match="no identity to sign in with; run az login"):
        await metrics.daily_sums([WEU], TOKENS, ["ModelDeploymentName"], OCTOBER, 10)
    await metrics.close()

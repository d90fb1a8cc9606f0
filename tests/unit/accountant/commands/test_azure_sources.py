from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from accounting import OCTOBER
from aiohttp import web
from azure.monitor.query.aio import LogsQueryClient
from log_workspace import WORKSPACE_ID, Credential, TokenPolicy
from metrics_service import MetricsService, metrics_client, resource_id

from accountant.commands import azure_sources
from accountant.commands.azure_sources import (
    check_resources,
    log_rows,
    monitor_documents,
    open_region,
    open_workspace,
)
from accountant.reconciliation.naming import Resource
from tollgate.connections.azure_metrics import RegionMetrics
from tollgate.connections.log_analytics import Workspace
from tollgate.errors import LogsUnavailable, MetricsUnavailable, SettingsError
from tollgate.local.servers import serving

WEU = Resource(id=resource_id("aoai-weu"), backend="weu-1", region="westeurope")
SDC = Resource(id=resource_id("aoai-sdc"), backend="sdc-1", region="swedencentral")
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)


async def asked(
    service: MetricsService, *resources: Resource, now: datetime = NOVEMBER
) -> tuple[list[bytes], list[str]]:
    """The answers, and the endpoints that were opened."""
    endpoints: list[str] = []
    async with serving(service.app) as url:

        def open_here(endpoint: str) -> RegionMetrics:
            endpoints.append(endpoint)
            return RegionMetrics(endpoint, metrics_client(url))

        found = await asyncio.to_thread(monitor_documents, resources, OCTOBER, now, open_here)
    return found, endpoints


async def test_each_region_is_asked_for_tokens_and_for_requests_by_status() -> None:
    service = MetricsService()
    documents, endpoints = await asked(service, WEU, SDC)
    assert endpoints == [
        "https://swedencentral.metrics.monitor.azure.com",
        "https://westeurope.metrics.monitor.azure.com",
    ]
    assert [query["metricnames"] for query in service.queries] == [
        *("ProcessedPromptTokens,GeneratedTokens", "AzureOpenAIRequests") * 2
    ]
    assert service.queries[1]["filter"] == "ModelDeploymentName eq '*' and StatusCode eq '*'"
    assert [json.loads(each)["values"][0]["resourceid"] for each in documents] == [
        *(SDC.id, SDC.id, WEU.id, WEU.id)
    ]


async def test_nothing_later_than_now_is_asked_for() -> None:
    service = MetricsService()
    await asked(service, WEU, now=OCTOBER.start + timedelta(days=2))
    assert service.queries[0]["starttime"] == "2026-10-01T00:00:00.000Z"
    assert service.queries[0]["endtime"] == "2026-10-03T00:00:00.000Z"


async def test_another_cloud_has_an_endpoint_of_its_own() -> None:
    other = Resource(id=WEU.id, backend="x", endpoint="https://metrics.example")
    _, endpoints = await asked(MetricsService(), other)
    assert endpoints == ["https://metrics.example"]


async def test_a_region_that_does_not_answer_is_told() -> None:
    service = MetricsService()
    service.answers = [403]
    with pytest.raises(MetricsUnavailable, match="Azure Monitor answered 403"):
        await asked(service, WEU)


def test_every_resource_that_cannot_be_asked_is_told() -> None:
    with pytest.raises(SettingsError) as found:
        check_resources([Resource(id="aoai", backend="a"), WEU])
    assert found.value.problems == [
        "--monitor: resource aoai: give the whole ARM id",
        "--monitor: resource aoai: give its region, as westeurope",
    ]
    with pytest.raises(SettingsError, match="--monitor needs --map with a"):
        check_resources([])


class UsageLog:
    """A workspace that answers with a row a day, of at most `most` days."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.queries: list[Mapping[str, str]] = []
        self.app = web.Application()
        self.app.router.add_post(f"/v1/workspaces/{WORKSPACE_ID}/query", self._query)

    async def _query(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.queries.append(body)
        start, end = (datetime.fromisoformat(each) for each in body["timespan"].split("/"))
        days = [start + timedelta(days=day) for day in range((end - start).days)]
        columns = [{"name": "Day", "type": "datetime"}, {"name": "Requests", "type": "long"}]
        rows = [[day.isoformat(), 1] for day in days[: self.most]]
        answer: dict[str, Any] = {"tables": [{"name": "t", "columns": columns, "rows": rows}]}
        if len(days) > self.most:
            answer["error"] = {"code": "PartialError", "message": "too much"}
        return web.json_response(answer)


async def logged(service: UsageLog) -> list[Mapping[str, Any]]:
    async with serving(service.app) as url:

        def open_here(workspace_id: str) -> Workspace:
            client = LogsQueryClient(
                Credential(), endpoint=url, authentication_policy=TokenPolicy()
            )
            return Workspace(workspace_id, client)

        return await asyncio.to_thread(log_rows, WORKSPACE_ID, OCTOBER, open_here)


async def test_a_month_of_the_log_is_one_query() -> None:
    service = UsageLog(most=31)
    assert len(await logged(service)) == 31
    (query,) = service.queries
    assert query["timespan"] == "2026-10-01T00:00:00.000Z/2026-11-01T00:00:00.000Z"


async def test_what_is_too_much_is_asked_for_in_halves() -> None:
    service = UsageLog(most=10)
    days = [row["Day"].day for row in await logged(service)]
    assert days == list(range(1, 32))
    assert len(service.queries) == 7


async def test_a_part_of_a_day_is_no_answer() -> None:
    with pytest.raises(LogsUnavailable, match="Log Analytics gave only a part of 2026-10-01"):
        await logged(UsageLog(most=0))


def test_a_workspace_that_is_no_guid_is_told_by_its_option() -> None:
    with pytest.raises(SettingsError, match="--workspace: it is no GUID"):
        open_workspace("logs")


@pytest.mark.parametrize(
    ("option", "module", "opened"),
    [
        ("--monitor", "azure_metrics", open_region),
        ("--workspace", "log_analytics", open_workspace),
    ],
)
def test_a_missing_package_is_told(
    monkeypatch: pytest.MonkeyPatch, option: str, module: str, opened: Any
) -> None:
    monkeypatch.delitem(sys.modules, f"tollgate.connections.{module}")
    monkeypatch.setitem(sys.modules, "azure.core.exceptions", None)
    with pytest.raises(SettingsError) as found:
        opened(WORKSPACE_ID)
    (problem,) = found.value.problems
    assert problem.startswith(f"{option} needs the package azure")
    assert problem.endswith(": pip install 'tollgate[reconcile]'")


async def test_our_identity_signs_in_where_nothing_else_is_said() -> None:
    await azure_sources.open_region("https://westeurope.metrics.monitor.azure.com").close()
    await azure_sources.open_workspace(WORKSPACE_ID).close()

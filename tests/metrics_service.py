"""Azure Monitor's metrics of many resources over HTTP, as the service answers them.

It holds daily sums by resource, metric and dimensions, and gives each query those that it asks for.
The real SDK asks it, with a policy in place of the one that asks Entra.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from azure.monitor.querymetrics.aio import MetricsClient
from log_workspace import Credential, TokenPolicy

from tollgate.local.servers import serving

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
NAMESPACE = "Microsoft.CognitiveServices/accounts"

Sums = dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[str, float]]


def resource_id(name: str, subscription: str = SUBSCRIPTION) -> str:
    """The ARM id of an Azure OpenAI account."""
    return f"/subscriptions/{subscription}/resourceGroups/ai/providers/{NAMESPACE}/{name}"


class MetricsService:
    """Holds `sums`.

    `answers` are the statuses of the next requests; `errors` are codes of metrics that failed.
    """

    def __init__(self) -> None:
        self.sums: Sums = {}
        self.answers: list[int] = []
        self.errors: dict[str, str] = {}
        self.queries: list[Mapping[str, str]] = []
        self.asked: list[list[str]] = []
        self.authorised: set[str | None] = set()
        self.app = web.Application()
        self.app.router.add_post("/subscriptions/{subscription}/metrics:getBatch", self._query)

    def add(self, resource: str, metric: str, day: str, total: float, **dimensions: str) -> None:
        """Add a day's sum."""
        key = (resource, metric, tuple(sorted(dimensions.items())))
        self.sums.setdefault(key, {})[day] = total

    async def _query(self, request: web.Request) -> web.Response:
        self.authorised.add(request.headers.get("Authorization"))
        if self.answers and (status := self.answers.pop(0)) != web.HTTPOk.status_code:
            error = {"error": {"code": "Trouble", "message": "of the service"}}
            headers = {"Retry-After": "0"} if status == web.HTTPTooManyRequests.status_code else {}
            return web.json_response(error, status=status, headers=headers)
        body, query = await request.json(), request.query
        self.queries.append(dict(query))
        self.asked.append(body["resourceids"])
        values = [self._resource(each, query) for each in body["resourceids"]]
        return web.json_response({"values": values})

    def _resource(self, resource: str, query: Mapping[str, str]) -> dict[str, Any]:
        start, end = query["starttime"], query["endtime"]
        return {
            "starttime": start,
            "endtime": end,
            "interval": query["interval"],
            "namespace": NAMESPACE,
            "resourceregion": "westeurope",
            "resourceid": resource,
            "value": [
                self._metric(resource, name, query) for name in query["metricnames"].split(",")
            ],
        }

    def _metric(self, resource: str, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        series = [
            {
                "metadatavalues": [
                    {"name": {"value": key.lower(), "localizedValue": key.lower()}, "value": value}
                    for key, value in dimensions
                ],
                "data": [
                    {"timeStamp": f"{day}T00:00:00Z", "total": total}
                    for day, total in sorted(sums.items())
                    if query["starttime"][:10] <= day < query["endtime"]
                ],
            }
            for (whose, metric, dimensions), sums in self.sums.items()
            if (whose, metric) == (resource, name)
            and all(f"{key} eq '*'" in query["filter"] for key, _ in dimensions)
        ]
        return {
            "id": f"{resource}/providers/Microsoft.Insights/metrics/{name}",
            "type": "Microsoft.Insights/metrics",
            "name": {"value": name, "localizedValue": name},
            "unit": "Count",
            "timeseries": series[: int(query["top"])],
            "errorCode": self.errors.get(name, "Success"),
        }


def metrics_client(url: str) -> MetricsClient:
    """The SDK's client of a service behind plain HTTP; whoever takes it closes it."""
    return MetricsClient(
        url, Credential(), authentication_policy=TokenPolicy(), retry_backoff_factor=0
    )


@asynccontextmanager
async def serving_metrics(service: MetricsService) -> AsyncGenerator[MetricsClient]:
    """The SDK's client of the service; whoever takes it closes it."""
    async with serving(service.app) as url:
        yield metrics_client(url)

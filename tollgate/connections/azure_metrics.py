"""Queries Azure Monitor's metrics of many resources, with the azure-monitor-querymetrics SDK."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline import PipelineResponse
from azure.identity.aio import DefaultAzureCredential
from azure.monitor.querymetrics import MetricAggregationType
from azure.monitor.querymetrics.aio import MetricsClient

from tollgate.errors import MetricsUnavailable

MAX_RESOURCES: Final = 50  # in one query; all of one subscription
_DAILY_SUMS: Final[dict[str, Any]] = {
    "metric_namespace": "Microsoft.CognitiveServices/accounts",
    "granularity": timedelta(days=1),
    "aggregations": [MetricAggregationType.TOTAL],
    "read_timeout": 120,
}
_OK: Final = 200
_REFUSED: Final = (401, 403)


class RegionMetrics:
    """The metrics of resources in one region. Close it.

    Args:
        endpoint: `https://REGION.metrics.monitor.azure.com`.
        client: Asks; signs in as whoever made it.
    """

    def __init__(self, endpoint: str, client: MetricsClient | None = None) -> None:
        self._credential = DefaultAzureCredential() if client is None else None
        self._client = client or MetricsClient(endpoint, self._credential)  # pyright: ignore[reportArgumentType]  one of the two is there

    async def daily_sums(
        self,
        resource_ids: Sequence[str],
        names: Sequence[str],
        dimensions: Sequence[str],
        span: tuple[datetime, datetime],
        max_series: int,
    ) -> list[bytes]:
        """The service's answers, as JSON: the SDK's own types leave out errors and resources.

        Args:
            resource_ids: ARM ids of Azure OpenAI accounts, of any number of subscriptions.
            names: Of the metrics.
            dimensions: What to split them by.
            span: The first instant, which begins a UTC day, and the first one after it.
            max_series: Of each resource and metric; who gets as many may miss some.

        Raises:
            MetricsUnavailable: It does not answer, refuses, or takes no more queries for now.
        """
        answers: list[bytes] = []

        def keep(response: PipelineResponse[Any, Any]) -> None:
            if response.http_response.status_code == _OK:  # others may come again
                answers.append(response.http_response.body())

        asked: dict[str, Any] = {
            "metric_names": names,
            "timespan": span,
            "filter": " and ".join(f"{name} eq '*'" for name in dimensions),
            "max_results": max_series,
        }
        for ids in _at_once(resource_ids):
            with _told_problems():
                await self._client.query_resources(
                    resource_ids=ids, **asked, **_DAILY_SUMS, raw_response_hook=keep
                )
        return answers

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        if self._credential is not None:
            await self._credential.close()


@contextmanager
def _told_problems() -> Generator[None]:
    try:
        yield
    except HttpResponseError as error:
        raise MetricsUnavailable(_told(error)) from None
    except AzureError as error:
        raise MetricsUnavailable(f"Azure Monitor: {type(error).__name__}") from None


def _told(error: HttpResponseError) -> str:
    if (status := error.status_code) is None:  # it could not even ask
        return "Azure Monitor: no identity to sign in with; run az login, or give it one"
    advice = "; it needs the role Monitoring Reader on the subscription"
    return f"Azure Monitor answered {status}{advice if status in _REFUSED else ''}"


def _at_once(resource_ids: Iterable[str]) -> list[list[str]]:
    """The ids of one query: of one subscription, and not too many."""
    by_subscription: defaultdict[str, list[str]] = defaultdict(list)
    for each in resource_ids:
        by_subscription[each.lower().split("/")[2]].append(each)
    return [
        ids[start : start + MAX_RESOURCES]
        for _, ids in sorted(by_subscription.items())
        for start in range(0, len(ids), MAX_RESOURCES)
    ]

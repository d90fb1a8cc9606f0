"""Asks Azure what `reconcile` compares with: the only place here that knows Azure's clients.

Their packages are of the extra `reconcile` and are imported when something is asked.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from accountant.reconciliation.gateway_log import usage_by_deployment
from accountant.reconciliation.metrics_points import (
    GENERATED_TOKENS,
    MAX_SERIES,
    PROMPT_TOKENS,
    REQUEST_COUNT,
)
from accountant.reconciliation.naming import Resource
from tollgate.errors import LogsUnavailable, SettingsError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from tollgate.connections.azure_metrics import RegionMetrics
    from tollgate.connections.log_analytics import Workspace

_DAY: Final = timedelta(days=1)
_DEPLOYMENT: Final = "ModelDeploymentName"
# What is asked of each resource: metrics that can be split alike go together.
_QUERIES: Final = (
    ((PROMPT_TOKENS, GENERATED_TOKENS), (_DEPLOYMENT,)),
    ((REQUEST_COUNT,), (_DEPLOYMENT, "StatusCode")),
)


def open_region(endpoint: str) -> RegionMetrics:
    """The metrics behind an endpoint, for this process's Entra identity."""
    with _told_packages("--monitor"):
        from tollgate.connections.azure_metrics import RegionMetrics
    return RegionMetrics(endpoint)


def open_workspace(workspace_id: str) -> Workspace:
    """A workspace of logs, for this process's Entra identity.

    Raises:
        SettingsError: The id is no GUID, or a package is missing.
    """
    with _told_packages("--workspace"):
        from tollgate.connections.log_analytics import Workspace
    return Workspace(workspace_id, told_in="--workspace")


def check_resources(resources: Sequence[Resource]) -> None:
    """Nothing, if Azure Monitor can be asked for each.

    Raises:
        SettingsError: There are none, or some lack what is needed; it has every problem.
    """
    problems = [] if resources else ["--monitor needs --map with a [[resource]] for each account"]
    for each in resources:
        if not each.id.lower().startswith("/subscriptions/"):
            problems.append(f"--monitor: resource {each.id}: give the whole ARM id")
        if each.region is None and each.endpoint is None:
            problems.append(f"--monitor: resource {each.id}: give its region, as westeurope")
    if problems:
        raise SettingsError(problems)


def monitor_documents(
    resources: Sequence[Resource],
    month: Month,
    now: datetime,
    open_region: Callable[[str], RegionMetrics] = open_region,
) -> list[bytes]:
    """Azure Monitor's answers for the month, in the JSON that a saved export has.

    Args:
        resources: Those of the map.
        month: The month.
        now: The time, UTC; nothing later is asked for.
        open_region: Opens a region's metrics.

    Raises:
        MetricsUnavailable: A region does not answer.
        SettingsError: A resource lacks what is needed, or a package is missing.
    """
    check_resources(resources)
    by_endpoint: defaultdict[str, list[str]] = defaultdict(list)
    for each in resources:
        public = f"https://{each.region}.metrics.monitor.azure.com"
        by_endpoint[each.endpoint or public].append(each.id)
    span = (month.start, min(month.end, now))
    return asyncio.run(_all_regions(by_endpoint, span, open_region))


def log_rows(
    workspace_id: str, month: Month, open_workspace: Callable[[str], Workspace] = open_workspace
) -> list[Mapping[str, Any]]:
    """The gateway's log of the month, by deployment and day.

    Args:
        workspace_id: The workspace's GUID.
        month: The month.
        open_workspace: Opens it.

    Raises:
        LogsUnavailable: It does not answer, or gives a part of a day alone.
        SettingsError: The id is no GUID, or a package is missing.
    """
    return asyncio.run(_month_of_log(open_workspace(workspace_id), month))


async def _all_regions(
    by_endpoint: Mapping[str, Sequence[str]],
    span: tuple[datetime, datetime],
    open_region: Callable[[str], RegionMetrics],
) -> list[bytes]:
    found: list[bytes] = []
    for endpoint, ids in sorted(by_endpoint.items()):
        region = open_region(endpoint)
        try:
            for names, dimensions in _QUERIES:
                found += await region.daily_sums(ids, names, dimensions, span, MAX_SERIES)
        finally:
            await region.close()
    return found


async def _month_of_log(workspace: Workspace, month: Month) -> list[Mapping[str, Any]]:
    try:
        return await _rows(workspace, month.start, month.end)
    finally:
        await workspace.close()


async def _rows(workspace: Workspace, start: datetime, end: datetime) -> list[Mapping[str, Any]]:
    """All rows of whole days; what is too much for one answer is asked for in halves."""
    rows, are_all = await workspace.rows(usage_by_deployment(start, end), start, end)
    if are_all:
        return list(rows)
    days = (end - start) // _DAY
    if days <= 1:
        raise LogsUnavailable(f"Log Analytics gave only a part of {start:%Y-%m-%d}")
    middle = start + (days // 2) * _DAY
    return [*await _rows(workspace, start, middle), *await _rows(workspace, middle, end)]


@contextmanager
def _told_packages(option: str) -> Generator[None]:
    """Say which package is missing, and how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(
            [f"{option} needs the package {error.name}: pip install 'tollgate[reconcile]'"]
        ) from None

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple

import pytest
from builders import NOON
from log_workspace import WORKSPACE_ID, LogWorkspace, logged, serving_logs

from tollgate.connections.log_analytics import Workspace
from tollgate.errors import LogsUnavailable, SettingsError
from tollgate.events.gateway_log import calls_by_id

SPAN = (NOON - timedelta(hours=1), NOON + timedelta(hours=1))
QUERY = calls_by_id(["req-1", "req-2", "req-3"])


class World(NamedTuple):
    service: LogWorkspace
    workspace: Workspace


@pytest.fixture
async def world() -> AsyncIterator[World]:
    service = LogWorkspace()
    async with serving_logs(service) as client:
        workspace = Workspace(WORKSPACE_ID, client)
        yield World(service, workspace)
        await workspace.close()


async def test_rows_come_by_column_with_their_types(world: World) -> None:
    world.service.rows = [logged("req-1", CompletionTokens=None), logged("req-9")]
    rows, are_all = await world.workspace.rows(QUERY, *SPAN)
    assert are_all
    (row,) = rows
    assert (row["CorrelationId"], row["TimeGenerated"]) == ("req-1", NOON)
    assert (row["PromptTokens"], row["CompletionTokens"]) == (700, None)
    assert row["IsStreamCompletion"] is True


async def test_the_span_is_the_requests_and_the_server_is_given_its_time(world: World) -> None:
    await world.workspace.rows(QUERY, *SPAN)
    (asked,) = world.service.queries
    assert asked["query"] == QUERY
    assert asked["timespan"] == "2026-10-15T11:00:00.000Z/2026-10-15T13:00:00.000Z"
    (request,) = world.service.requests
    assert request.headers["Prefer"] == "wait=120"
    assert request.headers["Authorization"] == "Bearer token"


async def test_a_partial_answer_says_so(world: World) -> None:
    world.service.rows = [logged(f"req-{number}") for number in (1, 2, 3)]
    world.service.most = 2
    rows, are_all = await world.workspace.rows(QUERY, *SPAN)
    assert (len(rows), are_all) == (2, False)


async def test_an_empty_answer_has_no_rows(world: World) -> None:
    assert await world.workspace.rows(QUERY, *SPAN) == ([], True)


async def test_a_busy_service_is_asked_again(world: World) -> None:
    world.service.rows = [logged("req-1")]
    world.service.answers = [429, 429]
    rows, _ = await world.workspace.rows(QUERY, *SPAN)
    assert len(rows) == 1
    assert len(world.service.requests) == 3


async def test_a_query_that_takes_too_long_has_more_than_it_gave(world: World) -> None:
    world.service.answers = [504] * 20
    assert await world.workspace.rows(QUERY, *SPAN) == ([], False)


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_service_that_does_not_answer_is_told(world: World, status: int) -> None:
    world.service.answers = [status] * 20
    with pytest.raises(LogsUnavailable, match=f"Log Analytics answered {status}"):
        await world.workspace.rows(QUERY, *SPAN)


async def test_a_service_that_cannot_be_reached_is_told() -> None:
    service = LogWorkspace()
    async with serving_logs(service) as client:
        workspace = Workspace(WORKSPACE_ID, client)
    with pytest.raises(LogsUnavailable, match="ServiceRequestError"):
        await workspace.rows(QUERY, *SPAN)
    await workspace.close()


@pytest.mark.parametrize("workspace_id", ["", "logs", f"{WORKSPACE_ID}/query", WORKSPACE_ID + "\n"])
def test_a_workspace_is_named_by_its_guid(workspace_id: str) -> None:
    with pytest.raises(SettingsError, match="LOG_ANALYTICS_WORKSPACE_ID: it is no GUID"):
        Workspace(workspace_id)


def test_whoever_told_the_workspace_is_told() -> None:
    with pytest.raises(SettingsError, match=r"^--workspace: it is no GUID"):
        Workspace("logs", told_in="--workspace")


async def test_without_a_client_our_identity_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # of which there is none
    workspace = Workspace(WORKSPACE_ID)
    with pytest.raises(LogsUnavailable, match="no identity to sign in with; run az login"):
        await workspace.rows(QUERY, *SPAN)
    await workspace.close()

"""The timer with the real SDKs: a workspace, a topic, a Redis, and the trigger behind the topic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import azure.functions as func
import msgspec
import pytest
from builders import NOON
from ledgers import OCTOBER, pending
from log_workspace import WORKSPACE_ID, LogWorkspace, logged, serving_logs
from topics import Topic

from tollgate.connections.log_analytics import Workspace
from tollgate.connections.redis import open_redis_sync
from tollgate.functions import backfill_timer as module
from tollgate.functions import runtime
from tollgate.functions.backfill_timer import backfill_timer
from tollgate.functions.runtime import shared
from tollgate.ledger.redis_reader import RedisReader

pytest_plugins = ["servers"]

DUE = cast("func.TimerRequest", None)  # the function does not look at it


@pytest.fixture
async def workspace(
    environment: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LogWorkspace]:
    del environment, redis_url
    service = LogWorkspace()
    async with serving_logs(service) as client:
        monkeypatch.setenv("LOG_ANALYTICS_WORKSPACE_ID", WORKSPACE_ID)
        monkeypatch.setattr(runtime, "Workspace", partial(Workspace, client=client))
        yield service
        await shared.close()
        await client.close()


async def take(event: bytes, now: datetime = NOON) -> None:
    await (await shared.intake()).intake.take([event], source="test", now=now)


def provenances(redis_url: str) -> list[str]:
    with closing(open_redis_sync(redis_url)) as redis:
        return [cell.sku.provenance for cell in RedisReader(redis).money_cells(OCTOBER)]


async def test_a_pending_event_is_completed_by_way_of_the_topic(
    workspace: LogWorkspace, topic: Topic, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "utc_now", lambda: NOON + timedelta(minutes=10))
    await take(pending("req-1").raw)
    assert provenances(redis_url) == ["pending"]
    workspace.rows = [logged("req-1")]
    await backfill_timer(DUE)
    (completion,) = await topic.received(1)
    assert (completion["id"], completion["data"]["completes"]) == ("req-1", True)
    await take(msgspec.json.encode(completion))
    assert provenances(redis_url) == ["backfilled"]


async def test_without_a_workspace_it_says_so_once_and_does_nothing(
    environment: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    del environment
    monkeypatch.setattr(shared, "_said_no_log", False)
    for _ in range(3):
        await backfill_timer(DUE)
    assert caplog.text.count("LOG_ANALYTICS_WORKSPACE_ID is not set") == 1


@pytest.mark.usefixtures("opened")
async def test_settings_that_are_wrong_are_told_and_usage_is_counted_all_the_same(
    workspace: LogWorkspace,
    redis_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del workspace
    monkeypatch.delenv("TOLLGATE_CONFIG")
    await backfill_timer(DUE)
    assert "nothing is backfilled: environment: TOLLGATE_CONFIG" in caplog.text
    await take(pending("req-1").raw)
    assert provenances(redis_url) == ["pending"]


async def test_a_log_that_does_not_answer_is_asked_at_the_next_run(
    workspace: LogWorkspace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "utc_now", lambda: NOON + timedelta(minutes=10))
    await take(pending("req-1").raw)
    workspace.answers = [403]
    await backfill_timer(DUE)
    assert "the rest is backfilled at the next run: Log Analytics answered 403" in caplog.text

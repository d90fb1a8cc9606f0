from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from builders import event

from tollgate.events.journal import Journal

pytest_plugins = ["servers"]
pytestmark = pytest.mark.usefixtures("environment")


async def test_a_gateway_that_can_do_its_work_is_healthy(http: aiohttp.ClientSession) -> None:
    async with http.get("/health") as response:
        assert response.status == 200
        content = await response.json()
        assert content.pop("journal_bytes") > 0
        assert content == {
            "status": "ok",
            "reasons": [],
            "publishing": True,
            "journal_depth": 0,
            "journal_age_s": None,
            "settings_problems": 0,
        }


async def test_without_a_topic_it_is_degraded_and_what_waits_is_shown(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("EVENTGRID_TOPIC_ENDPOINT")
    left_behind = Journal(tmp_path / "journal")
    left_behind.record(event("req-1"))
    left_behind.close()
    async with http.get("/health") as response:
        assert response.status == 200
        content = await response.json()
        assert (content["status"], content["publishing"]) == ("degraded", False)
        assert content["journal_depth"] == 1
        waited, topic = content["reasons"]
        assert waited.startswith("events have waited ")
        assert topic == "no topic is set: usage waits in the journal, and nobody is billed"


@pytest.mark.usefixtures("redis_url")
async def test_the_ledger_is_looked_at_where_there_is_one(http: aiohttp.ClientSession) -> None:
    async with http.get("/health") as response:
        assert response.status == 200
        content = await response.json()
        assert content["status"] == "degraded"
        assert content["reasons"][0].startswith("the ledger's Redis: appendonly is no, not yes")
        assert content["ledger"]["lag_s"] is None
        assert content["ledger"]["dead_letters"] == 0


async def test_calls_that_would_be_refused_take_the_instance_out_of_turn(
    http: aiohttp.ClientSession, environment: Path
) -> None:
    _bound(environment)
    async with http.get("/health") as response:
        assert response.status == 503
        assert (await response.json())["status"] == "failing"


def _bound(config: Path) -> None:
    config.write_text(config.read_text() + "journal: {max_bytes: 1}\n")

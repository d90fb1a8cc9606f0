from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from builders import event

from tollgate.events.journal import Journal

pytestmark = pytest.mark.usefixtures("environment")


async def test_a_gateway_that_can_do_its_work_is_healthy(http: aiohttp.ClientSession) -> None:
    async with http.get("/health") as response:
        assert response.status == 200
        assert await response.json() == {
            "status": "ok",
            "publishing": True,
            "journal_depth": 0,
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
        assert await response.json() == {
            "status": "degraded",
            "publishing": False,
            "journal_depth": 1,
            "settings_problems": 0,
        }

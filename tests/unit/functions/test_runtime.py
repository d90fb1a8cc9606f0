from __future__ import annotations

import asyncio
import json

import pytest

from tollgate.functions.runtime import METRICS_LINE, Shared, shared

pytest_plugins = ["servers"]


@pytest.mark.usefixtures("environment", "redis_url")
async def test_everything_is_opened_once_however_many_ask_at_once() -> None:
    gateways = await asyncio.gather(*(shared.gateway() for _ in range(5)))
    intakes = await asyncio.gather(*(shared.intake() for _ in range(5)))
    assert len({*map(id, gateways)}) == len({*map(id, intakes)}) == 1
    assert shared.settings() is shared.settings()


@pytest.mark.usefixtures("environment", "redis_url")
async def test_the_numbers_are_logged_once_a_minute_by_whoever_asks_first(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(shared, "_told_s", -1e9)
    await shared.intake()
    await shared.gateway()
    monkeypatch.setattr(shared, "_told_s", -1e9)
    await shared.gateway()
    told = [record.message for record in caplog.records if METRICS_LINE in record.message]
    assert [line.partition(" ")[0] for line in told] == [METRICS_LINE, METRICS_LINE]
    first, second = (json.loads(line.partition(" ")[2]) for line in told)
    assert first["process"] == second["process"]
    assert first["tollgate_events_total_applied"] == 0
    assert second["tollgate_journal_events"] == 0


async def test_closing_what_was_never_opened_does_nothing() -> None:
    await Shared().close()

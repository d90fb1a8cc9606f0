from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from builders import NOON, event

from tollgate import gateway_journal
from tollgate.errors import SettingsError
from tollgate.events.journal import Journal
from tollgate.gateway_journal import GatewayJournal


def opened(folder: Path) -> GatewayJournal:
    return GatewayJournal(folder, 2**30, lambda: NOON + timedelta(minutes=1), lambda: None)


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[GatewayJournal]:
    ours = opened(tmp_path)
    yield ours
    ours.journal.close()


def left_behind(folder: Path, event_id: str) -> None:
    journal = Journal(folder)
    journal.record(event(event_id))
    journal.close()


def faulty(*_: object) -> NoReturn:
    raise PermissionError(13, "not allowed")


def test_what_a_process_leaves_that_dies_later_is_taken_over(
    ours: GatewayJournal, caplog: pytest.LogCaptureFixture
) -> None:
    assert ours.take_over() == 0
    left_behind(ours.journal.folder, "req-1")
    assert ours.take_over() == 1
    assert ours.journal.depth == 1
    assert "1 events of processes that died are published from here" in caplog.text


async def test_it_is_taken_over_now_and_then(
    ours: GatewayJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_journal, "_TAKE_OVER_EVERY_S", 0)
    left_behind(ours.journal.folder, "req-1")
    task = asyncio.create_task(ours.run())
    async with asyncio.timeout(5):
        while not ours.journal.depth:  # noqa: ASYNC110  a journal has no event
            await asyncio.sleep(0)
    task.cancel()


def test_what_cannot_be_taken_over_now_stays_for_the_next_time(
    ours: GatewayJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left_behind(ours.journal.folder, "req-1")
    with monkeypatch.context() as broken:
        broken.setattr(gateway_journal, "recover", faulty)
        assert ours.take_over() == 0
    assert "stays there: [Errno 13] not allowed" in caplog.text
    assert ours.take_over() == 1


def test_a_start_that_cannot_take_over_is_told_and_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(gateway_journal, "recover", faulty)
        with pytest.raises(SettingsError, match=r"TOLLGATE_JOURNAL: .* not allowed"):
            opened(tmp_path)
    assert not list(tmp_path.glob("*.lock"))

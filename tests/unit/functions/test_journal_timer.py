from __future__ import annotations

from pathlib import Path
from typing import cast

import azure.functions as func
import pytest
from builders import event
from topics import Topic

from tollgate.events.journal import Journal
from tollgate.functions.journal_timer import journal_timer
from tollgate.functions.runtime import shared

DUE = cast("func.TimerRequest", None)  # the function does not look at it


def left_behind(folder: Path, event_id: str) -> None:
    journal = Journal(folder)
    journal.record(event(event_id))
    journal.close()


async def test_what_an_earlier_process_left_is_published_without_a_call(
    environment: Path, topic: Topic
) -> None:
    folder = environment.parent / "journal"
    left_behind(folder, "req-1")
    await journal_timer(DUE)
    assert [taken["id"] for taken in await topic.received(1)] == ["req-1"]
    left_behind(folder, "req-2")  # by a process that died since
    await journal_timer(DUE)
    assert [taken["id"] for taken in await topic.received(2)] == ["req-1", "req-2"]
    await shared.close()


@pytest.mark.usefixtures("opened")
async def test_settings_that_are_wrong_are_told_and_end_nothing(
    environment: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _spoil(environment)
    await journal_timer(DUE)
    assert "the journal is not published: " in caplog.text


def _spoil(config: Path) -> None:
    config.write_text("gateway: [")

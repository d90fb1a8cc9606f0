"""A gateway that is killed under load; a hundred kills are in `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest
from load.kills import kill_under_load

pytestmark = pytest.mark.e2e
KILLS = 15


async def test_every_complete_answer_has_its_event_and_none_has_two(tmp_path: Path) -> None:
    figures = await kill_under_load(KILLS, tmp_path)
    print(figures)  # noqa: T201  for who runs it with -s
    assert figures.complete > 5 * KILLS
    assert figures.complete < figures.requests
    assert figures.unknown > 0
    assert figures.events <= figures.requests

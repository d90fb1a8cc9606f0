"""A ledger whose workers and Redis are killed under load; 100,000 events are in `make soak`."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from builders import NOON
from load.feed import feed
from load.independent_count import counted, differences
from load.ledger_kills import kill_ledger_under_load

pytestmark = pytest.mark.e2e
EVENTS = 5_000


async def test_cells_are_the_distinct_events_to_the_token(tmp_path: Path) -> None:
    figures = await kill_ledger_under_load(EVENTS, tmp_path)
    print(figures)  # noqa: T201  for who runs it with -s
    assert figures.events == EVENTS
    assert figures.worker_kills > 1
    assert figures.redis_kills == 2
    assert figures.duplicates > EVENTS / 2
    assert figures.returned > 0


def test_an_event_that_is_missing_shows() -> None:
    valid = feed(50, 10, NOON, Random(1)).valid  # noqa: S311  no secrets
    assert list(differences(counted(valid), counted(valid))) == []
    assert all(list(differences(counted(valid), counted(valid[:n]))) for n in range(50))

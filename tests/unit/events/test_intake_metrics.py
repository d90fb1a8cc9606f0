from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from builders import NOON, raw_event
from ledgers import completion, pending

from tollgate.errors import StoreUnavailable
from tollgate.events.dead_letters import DeadLetter
from tollgate.events.intake import Intake
from tollgate.events.intake_metrics import IntakeMetrics
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.metrics import Metrics


class Letters:
    """Takes them, or is away."""

    def __init__(self) -> None:
        self.away = False

    async def keep(self, letters: list[DeadLetter]) -> None:
        del letters
        if self.away:
            raise StoreUnavailable("away")


class World:
    """An intake whose clock steps by a second each time that it is read."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        ticks: Iterator[int] = count()
        self.watched = IntakeMetrics(self.metrics, lambda: float(next(ticks)))
        self.letters = Letters()
        self.intake = Intake(MemoryLedger(), self.letters, metrics=self.watched)

    def shown(self, name: str) -> int | float | None:
        return self.metrics.snapshot().get(f"tollgate_{name}")


async def test_what_came_and_what_became_of_it_is_counted() -> None:
    world = World()
    batch = [raw_event("req-1"), raw_event("req-1"), raw_event("req-1", status=500), b"rubbish"]
    await world.intake.take(batch, source="test", now=NOON)
    await world.intake.take([pending("req-2").raw], source="test", now=NOON)
    await world.intake.take([completion("req-2").raw], source="test", now=NOON)
    assert world.shown("events_received_total") == 6
    for outcome, number in {
        "applied": 2,
        "completed": 1,
        "duplicate": 1,
        "conflict": 1,
        "late": 0,
        "dead_letter": 1,
    }.items():
        assert world.shown(f"events_total_{outcome}") == number


async def test_a_batch_that_is_to_come_again_is_no_outcome() -> None:
    world = World()
    world.letters.away = True
    with pytest.raises(StoreUnavailable):
        await world.intake.take([b"rubbish"], source="test", now=NOON)
    assert world.shown("events_received_total") == 1
    assert world.shown("apply_failures_total") == 1
    assert world.shown("events_total_dead_letter") == 0


async def test_the_lag_is_that_of_the_oldest_event_of_a_batch() -> None:
    world = World()
    batch = [raw_event("req-1"), raw_event("req-2", NOON - timedelta(seconds=90))]
    await world.intake.take(batch, source="test", now=NOON + timedelta(seconds=5))
    assert (world.watched.last_lag_s, world.watched.last_applied) == (
        95.0,
        NOON + timedelta(seconds=5),
    )
    assert (world.shown("ingest_lag_seconds_sum"), world.shown("ingest_lag_seconds_count")) == (
        95.0,
        1,
    )
    assert (world.shown("apply_seconds_sum"), world.shown("apply_seconds_count")) == (1.0, 1)


async def test_a_clock_that_runs_ahead_is_no_lag() -> None:
    world = World()
    await world.intake.take([raw_event("req-1", NOON + timedelta(1 / 1440))], source="", now=NOON)
    assert world.watched.last_lag_s == 0.0


async def test_a_completion_is_as_old_as_what_it_completes_and_no_lag() -> None:
    world = World()
    now = NOON + timedelta(hours=25)
    await world.intake.take([completion("req-1").raw], source="test", now=now)
    assert world.watched.last_lag_s is None
    assert world.shown("ingest_lag_seconds_count") == 0

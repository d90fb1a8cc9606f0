from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from builders import NOON, raw_event

from tollgate.errors import StoreUnavailable
from tollgate.events.dead_letters import DeadLetter
from tollgate.events.intake import Intake
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.usage.event import ReceivedEvent


class World:
    """The three that an intake talks to, with one memory of what came when."""

    def __init__(self, fails: str | None = None) -> None:
        self.fails = fails
        self.steps: list[str] = []
        self.letters: dict[str, DeadLetter] = {}
        self.archived: list[bytes] = []
        self.cells = MemoryLedger()
        self.intake = Intake(self, self, self)

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if self.fails == name:
            self.fails = None
            raise OSError(28, "disk full") if name == "append" else StoreUnavailable("away")

    async def keep(self, letters: list[DeadLetter]) -> None:
        self._step("keep")
        for letter in letters:
            self.letters.setdefault(letter.id, letter)

    def append(self, events: Sequence[ReceivedEvent], now: datetime) -> None:
        assert now
        self._step("append")
        self.archived += [event.raw for event in events]

    async def apply(self, events: Sequence[ReceivedEvent], *, now: datetime) -> Sequence[str]:
        self._step("apply")
        return await self.cells.apply(events, now=now)

    async def take(self, *raws: bytes, now: datetime = NOON) -> Counter[str]:
        return await self.intake.take(raws, source="test", now=now)


async def test_events_are_archived_first_and_then_counted() -> None:
    world = World()
    assert await world.take(raw_event("req-1"), raw_event("req-1")) == {
        "applied": 1,
        "duplicate": 1,
    }
    assert world.steps == ["append", "apply"]
    assert world.archived == [raw_event("req-1")] * 2


async def test_an_archive_is_not_needed() -> None:
    world = World()
    intake = Intake(world, world)
    assert await intake.take([raw_event()], source="test", now=NOON) == {"applied": 1}


async def test_a_bad_event_is_kept_with_its_reason_and_its_neighbours_are_counted() -> None:
    world = World()
    counts = await world.take(raw_event("req-1"), b"rubbish", raw_event("req-2"))
    assert counts == {"applied": 2, "dead_letter": 1}
    (letter,) = world.letters.values()
    assert letter.body == b"rubbish"
    assert letter.source == "test"
    assert letter.received == NOON
    assert "malformed" in letter.reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b"[]", "Expected `object`"),
        (raw_event().replace(b"1000", b"-1"), ">= 0"),
        (raw_event().replace(b"1000", b"1.5"), "Expected `int"),
        (raw_event().replace(b"tollgate.usage.v1", b"tollgate.usage.v2"), "Invalid enum value"),
        (raw_event().replace(b'"tenant":"contoso",', b""), "missing required field `tenant`"),
    ],
)
async def test_the_reason_says_what_is_wrong(raw: bytes, reason: str) -> None:
    world = World()
    assert await world.take(raw) == {"dead_letter": 1}
    assert reason in next(iter(world.letters.values())).reason
    assert world.steps == ["keep"]


async def test_up_to_ten_minutes_ahead_is_a_clock_and_more_is_an_error() -> None:
    world = World()
    ten_minutes = NOON + timedelta(minutes=10)
    assert await world.take(raw_event("req-1", ten_minutes)) == {"applied": 1}
    later = ten_minutes + timedelta(milliseconds=1)
    assert await world.take(raw_event("req-2", later)) == {"dead_letter": 1}
    assert "future" in next(iter(world.letters.values())).reason


async def test_nothing_is_nothing() -> None:
    world = World()
    assert await world.take() == {}
    assert world.steps == []


@pytest.mark.parametrize("failing", ["keep", "append", "apply"])
async def test_a_second_delivery_after_a_failure_loses_and_doubles_nothing(failing: str) -> None:
    world = World(fails=failing)
    batch = (raw_event("req-1"), b"rubbish", raw_event("req-2"))
    with pytest.raises(StoreUnavailable):
        await world.take(*batch)
    assert await world.take(*batch) == {"applied": 2, "dead_letter": 1}
    assert len(world.letters) == 1
    assert {*world.archived} == {raw_event("req-1"), raw_event("req-2")}


class Buggy(World):
    """A ledger that a certain event leads to a bug; once it has met it, its store may be away."""

    def __init__(self, *, away_after: bool = False) -> None:
        super().__init__()
        self.away_after = away_after

    async def apply(self, events: Sequence[ReceivedEvent], *, now: datetime) -> Sequence[str]:
        if any(event.event.id == "req-bug" for event in events):
            self.fails = "apply" if self.away_after else self.fails
            raise KeyError("a secret")
        return await super().apply(events, now=now)


BUGGY_BATCH = (raw_event("req-1"), raw_event("req-bug"), b"rubbish", raw_event("req-2"))


async def test_an_event_that_meets_a_bug_is_kept_and_its_neighbours_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Buggy()
    assert await world.take(*BUGGY_BATCH) == {"applied": 2, "dead_letter": 2}
    reasons = {letter.body: letter.reason for letter in world.letters.values()}
    assert reasons[raw_event("req-bug")] == "bug: KeyError; the log says more"
    assert "malformed" in reasons[b"rubbish"]
    assert "a bug in a batch of 4 events from test" in caplog.text


async def test_a_store_that_is_away_is_no_bug_even_beside_one() -> None:
    world = Buggy(away_after=True)
    with pytest.raises(StoreUnavailable):
        await world.take(*BUGGY_BATCH)
    world.away_after = False
    assert await world.take(*BUGGY_BATCH) == {"applied": 2, "dead_letter": 2}


async def test_a_lone_event_that_meets_a_bug_in_an_away_store_is_sent_again() -> None:
    world = Buggy()
    world.fails = "keep"
    with pytest.raises(StoreUnavailable):
        await world.take(raw_event("req-bug"))
    assert await world.take(raw_event("req-bug")) == {"dead_letter": 1}


async def test_what_the_archive_did_not_take_is_not_counted() -> None:
    world = World(fails="append")
    with pytest.raises(StoreUnavailable, match="disk full"):
        await world.take(raw_event())
    assert world.steps == ["append"]

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from accounting import empty_redis
from builders import event
from closed_months import OCTOBER

from accountant.closing.blockers import Blocker
from accountant.commands import arrivals as module
from accountant.commands.arrivals import Arrivals, Places, arrivals, awaited
from tollgate.events.journal import Journal

pytest_plugins = ["servers"]

DATABASE = 11  # of its own, beside those of other tests
NOW = datetime(2026, 11, 2, tzinfo=UTC)
WAITS = Arrivals([Blocker(what="journal", months={"": 2})], [])
DRY = Arrivals([Blocker(what="dead-letter", months={"": 2})], [])


def test_what_is_not_seen_is_said(redis_server: str, tmp_path: Path) -> None:
    url = empty_redis(f"{redis_server}/{DATABASE}")
    places = Places(redis_url=url, journal=tmp_path, blobs=str(tmp_path), health=())
    journal = Journal(tmp_path)
    journal.record(event())
    running = arrivals(places, OCTOBER, NOW)
    assert [line.partition(": ")[2] for line in running.unseen] == [
        "what they have still to publish is not seen from here; give --health URL",
        "give --health URL",
    ]
    assert running.blockers == []
    journal.close()
    [left] = arrivals(places, OCTOBER, NOW).blockers
    assert (left.what, left.count) == ("journal", 1)


class Clock:
    """Goes on when someone sleeps."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def looks(*found: Arrivals) -> Iterator[Arrivals]:
    yield from found


@pytest.mark.parametrize(
    ("seen", "now", "times"),
    [
        ((DRY,), NOW, (600, 0)),
        ((WAITS,), NOW, (0, 0)),
        ((WAITS, WAITS, DRY), NOW, (600, 30)),
        ((WAITS, WAITS, WAITS), NOW, (20, 20)),
        ((DRY, DRY, DRY), OCTOBER.end + timedelta(minutes=29, seconds=40), (600, 30)),
    ],
)
def test_it_waits_until_all_ran_dry_or_the_time_is_up(
    seen: tuple[Arrivals, ...],
    now: datetime,
    times: tuple[float, float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wait_s, passed_s = times
    clock, rest = Clock(now), looks(*seen)
    monkeypatch.setattr(module, "sleep", clock.sleep)
    assert awaited(lambda: next(rest), OCTOBER, clock, wait_s) == seen[-1]
    assert clock.now - now == timedelta(seconds=passed_s)
    told = capsys.readouterr().err
    assert ("waits: " in told) == bool(passed_s)

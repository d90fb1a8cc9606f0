from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOON, event, raw_event
from ledgers import completion

from tollgate.events import journal_watch
from tollgate.events.journal import Journal
from tollgate.events.journal_watch import JournalState, JournalWatch
from tollgate.metrics import Metrics

NOW = NOON + timedelta(minutes=10)
MIB = 1024 * 1024


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path, segment_bytes=4096)
    yield journal
    journal.close()


def watching(journal: Journal, max_bytes: int = MIB) -> JournalWatch:
    return JournalWatch(journal, max_bytes, lambda: NOW)


def state(**changes: object) -> JournalState:
    good = {"depth": 0, "age_s": None, "bytes": 0, "max_bytes": 100 * MIB, "in_memory": False}
    return JournalState(**{**good, **changes})  # pyright: ignore[reportArgumentType]  of each kind


def test_depth_age_and_bytes_are_seen(journal: Journal) -> None:
    watch = watching(journal)
    empty = watch.look()
    assert (empty.depth, empty.age_s, empty.full) == (0, None, False)
    watch.record(event("req-1", NOW - timedelta(seconds=90)))
    watch.record(event("req-2", NOW))
    seen = watch.look()
    assert (seen.depth, seen.age_s) == (2, 90.0)
    assert seen.bytes == sum(path.stat().st_size for path in journal.folder.glob("*.jsonl"))
    journal.commit(journal.next_batch(10, MIB))
    assert watch.look().age_s is None


def test_what_completes_another_event_and_what_is_none_have_no_age(journal: Journal) -> None:
    watch = watching(journal)
    journal.record_raw(completion("req-1").raw)
    journal.record_raw(b"rubbish")
    assert watch.look().age_s is None
    journal.record_raw(raw_event("req-2", NOW + timedelta(seconds=5)))
    assert watch.look().age_s == 0.0


def test_at_the_bound_new_calls_are_refused_and_no_event_is(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    watch = watching(journal)
    watch.begin("req-1", raw_event("req-1"))
    watch.max_bytes = 10
    assert watch.look().full
    assert watch.look().full
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    with pytest.raises(
        OSError, match=r"reached its bound; publish it, or raise journal\.max_bytes"
    ):
        watch.begin("req-2", raw_event("req-2"))
    watch.record(event("req-1"))
    assert watch.look().depth == 1
    watch.max_bytes = MIB
    assert not watch.look().full
    watch.begin("req-2", raw_event("req-2"))


def test_what_the_broker_refused_and_other_processes_left_counts(journal: Journal) -> None:
    before = watching(journal).look().bytes
    (journal.folder / "refused.jsonl").write_bytes(b"x" * 100)
    (journal.folder / "0123-00000000.jsonl").write_bytes(b"x" * 50)
    assert watching(journal).look().bytes == before + 150


def test_a_file_that_goes_meanwhile_takes_nothing(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [journal.folder / "gone.jsonl"]
    monkeypatch.setattr(Path, "glob", lambda _folder, _pattern: gone)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  as pathlib has it
    assert watching(journal).look().bytes == 0


def test_its_numbers_are_shown(journal: Journal) -> None:
    metrics = Metrics()
    watch = watching(journal)
    watch.show_in(metrics)
    watch.record(event("req-1", NOW - timedelta(seconds=3)))
    shown = metrics.snapshot()
    assert shown["tollgate_journal_events"] == 1
    assert shown["tollgate_journal_age_seconds"] == 3.0
    assert shown["tollgate_journal_bytes"] == watch.look().bytes
    assert shown["tollgate_journal_max_bytes"] == MIB


async def test_it_looks_on_its_own_and_again_after_a_fault(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_watch, "_LOOK_EVERY_S", 0)
    watch = watching(journal, max_bytes=10)
    faults = [PermissionError(13, "not allowed")]
    look = watch.look

    def faulty() -> JournalState:
        if faults:
            raise faults.pop()
        return look()

    monkeypatch.setattr(watch, "look", faulty)
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(5):
        while "its bound is 10" not in caplog.text:  # noqa: ASYNC110  a log has no event
            await asyncio.sleep(0)
    task.cancel()
    assert "cannot be read: [Errno 13] not allowed" in caplog.text


def test_a_journal_that_is_well_has_no_findings() -> None:
    assert state(depth=5, age_s=300.0, bytes=79 * MIB).findings() == []


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"in_memory": True}, "failing", "events are only in memory"),
        ({"bytes": 100 * MIB}, "failing", "is full (100 of 100 MiB): new calls are refused"),
        ({"bytes": 80 * MIB}, "degraded", "nearly full (80 of 100 MiB)"),
        ({"age_s": 600.0}, "degraded", "have waited 10 minutes to be published"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, object], status: str, reason: str) -> None:
    (found,) = state(**changes).findings()
    assert found.status == status
    assert reason in found.reason

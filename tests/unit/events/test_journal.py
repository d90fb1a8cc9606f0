from __future__ import annotations

import os
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path

import pytest
from builders import event, raw_event

from tollgate.events.journal import Journal
from tollgate.events.recovery import recover
from tollgate.events.refused import REFUSED_FILE

ALL = 1_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path)
    yield opened
    opened.close()


def _segments(folder: Path) -> list[str]:
    return sorted(path.name[-14:] for path in folder.glob("*.jsonl"))


def _drain(journal: Journal, max_events: int = ALL, max_bytes: int = ALL) -> list[list[bytes]]:
    batches: list[list[bytes]] = []
    while (batch := journal.next_batch(max_events, max_bytes)).events:
        batches.append(batch.events)
        journal.commit(batch)
    return batches


def test_recorded_events_come_out_in_order_and_once(journal: Journal) -> None:
    for number in range(5):
        journal.record(event(f"req-{number}"))
    assert journal.depth == 5
    assert _drain(journal) == [[raw_event(f"req-{number}") for number in range(5)]]
    assert journal.depth == 0
    assert journal.next_batch(ALL, ALL).events == []


def test_a_batch_comes_again_until_it_is_committed(journal: Journal) -> None:
    journal.record(event("req-1"))
    first = journal.next_batch(ALL, ALL)
    journal.record(event("req-2"))
    assert journal.next_batch(1, ALL) == first
    journal.commit(first)
    assert journal.next_batch(ALL, ALL).events == [raw_event("req-2")]


def test_batches_are_cut_by_count(journal: Journal) -> None:
    for number in range(5):
        journal.record(event(f"req-{number}"))
    assert [len(batch) for batch in _drain(journal, max_events=2)] == [2, 2, 1]


def test_batches_are_cut_by_bytes_of_events_and_one_too_big_goes_alone(journal: Journal) -> None:
    for number in range(3):
        journal.begin(f"req-{number}", raw_event(f"req-{number}"))
        journal.record(event(f"req-{number}"))
    size = len(raw_event("req-0"))
    assert [len(batch) for batch in _drain(journal, max_bytes=2 * size)] == [2, 1]
    journal.record(event("req-9"))
    assert [len(batch) for batch in _drain(journal, max_bytes=size // 2)] == [1]


def test_a_begun_request_is_no_event(journal: Journal) -> None:
    journal.begin("req-1", raw_event("req-1", provenance="unknown", tokens=None))
    assert journal.depth == 0
    assert journal.next_batch(ALL, ALL).events == []
    journal.record(event("req-1"))
    assert _drain(journal) == [[raw_event("req-1")]]


def test_each_event_wakes_who_publishes(tmp_path: Path) -> None:
    woken: list[int] = []
    journal = Journal(tmp_path, on_append=lambda: woken.append(journal.depth))
    journal.begin("req-1", raw_event("req-1"))
    journal.record(event("req-1"))
    assert woken == [1]
    journal.close()


def test_batches_reach_over_segments_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    for number in range(4):
        journal.record(event(f"req-{number}"))
    assert len(_segments(tmp_path)) == 5  # the first one has room for none
    expected = [raw_event(f"req-{number}") for number in range(4)]
    assert _drain(journal, max_events=3) == [expected[:3], expected[3:]]
    journal.close()


def test_segments_go_when_they_are_published_and_nothing_open_is_in_them(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    journal.record(event("req-0"))
    journal.begin("req-1", raw_event("req-1"))
    journal.record(event("req-2"))
    _drain(journal)
    assert _segments(tmp_path) == ["00000002.jsonl", "00000003.jsonl"]
    journal.record(event("req-1"))
    _drain(journal)
    assert _segments(tmp_path) == ["00000004.jsonl"]
    journal.close()


def test_what_a_killed_process_would_publish_again_is_little(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(4000):
        journal.record(event(f"req-{number}"))
        if number % 500 == 0:
            _drain(journal)
    _drain(journal)
    assert sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")) < 1_100_000
    journal.close()


def test_a_journal_with_nothing_left_leaves_nothing_behind(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    journal.begin("req-1", raw_event("req-1"))
    journal.record(event("req-1"))
    _drain(journal)
    journal.close()
    assert [path.name for path in tmp_path.iterdir()] == ["guard"]


def test_what_is_not_published_stays_for_the_next_start(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record(event("req-1"))
    journal.close()
    successor = Journal(tmp_path)
    assert recover(tmp_path, successor) == 1
    assert _drain(successor) == [[raw_event("req-1")]]
    successor.close()


def test_a_refused_event_is_kept_beside_the_journal(journal: Journal, tmp_path: Path) -> None:
    journal.set_aside(raw_event("req-1"))
    journal.set_aside(raw_event("req-2"))
    kept = (tmp_path / REFUSED_FILE).read_bytes().splitlines()
    assert kept == [raw_event("req-1"), raw_event("req-2")]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A disk that has no room for another segment, until the patch is undone."""

    def full(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        yield patch


@pytest.fixture
def brimful(tmp_path: Path) -> Iterator[Journal]:
    """A journal whose next line needs a new segment."""
    opened = Journal(tmp_path, segment_bytes=1)
    yield opened
    opened.close()


def test_what_the_disk_does_not_take_is_published_from_memory(
    brimful: Journal, full_disk: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    brimful.record(event("req-1"))
    assert (brimful.depth, "only in memory" in caplog.text) == (1, True)
    assert _drain(brimful) == [[raw_event("req-1")]]
    full_disk.undo()
    brimful.record(event("req-2"))
    assert _drain(brimful) == [[raw_event("req-2")]]
    assert brimful.depth == 0


def test_what_is_held_in_memory_is_written_when_the_disk_takes_it_again(
    tmp_path: Path, brimful: Journal, full_disk: pytest.MonkeyPatch
) -> None:
    brimful.record(event("req-1"))
    full_disk.undo()
    assert brimful.next_batch(ALL, ALL).held == 0
    heir = Journal(tmp_path)
    brimful.record(event("req-2"))
    expected = [raw_event("req-1"), raw_event("req-2")]
    assert brimful.next_batch(ALL, ALL).events == expected
    heir.close()


def test_a_request_is_not_begun_on_a_full_disk(
    brimful: Journal, full_disk: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OSError, match="No space left"):
        brimful.begin("req-1", raw_event("req-1"))
    full_disk.undo()
    brimful.begin("req-1", raw_event("req-1"))


def test_a_full_disk_is_left_as_it_is(
    tmp_path: Path, brimful: Journal, full_disk: pytest.MonkeyPatch
) -> None:
    brimful.record(event("req-1"))
    assert _segments(tmp_path) == ["00000000.jsonl"]
    full_disk.undo()


def test_only_the_owner_may_read_the_journal(journal: Journal, tmp_path: Path) -> None:
    journal.record(event("req-1"))
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_a_segment_that_somebody_deleted_holds_nothing_up(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    for number in range(3):
        journal.record(event(f"req-{number}"))
    batch = journal.next_batch(ALL, ALL)
    (tmp_path / f"{journal.writer}-00000001.jsonl").unlink()
    journal.commit(batch)
    assert _segments(tmp_path) == ["00000003.jsonl"]
    journal.close()

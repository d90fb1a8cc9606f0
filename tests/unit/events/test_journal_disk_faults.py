"""A disk that fails costs no event."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import raw_event

from tollgate.events.journal import Journal
from tollgate.events.recovery import recover


def _fail(*_: object) -> int:
    raise OSError(5, "Input/output error")


def test_a_torn_line_that_cannot_be_cut_off_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.record_raw(raw_event("before"))
    with monkeypatch.context() as failing:
        write = os.write

        def torn(file: int, line: bytes) -> int:
            return write(file, line[:9])

        failing.setattr(os, "write", torn)
        failing.setattr(os, "ftruncate", _fail)
        journal.record_raw(raw_event("torn"))
    journal.record_raw(raw_event("after"))
    journal.close()
    successor = Journal(tmp_path)
    recover(tmp_path, successor)
    events = successor.next_batch(9, 10**6).events
    assert {raw_event(each) for each in ("before", "torn", "after")} <= set(events)
    successor.close()


def test_a_full_segment_that_cannot_be_closed_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, segment_bytes=10)
    with monkeypatch.context() as failing:
        failing.setattr(os, "close", _fail)
        journal.record_raw(raw_event("one"))
    journal.record_raw(raw_event("two"))
    assert journal.next_batch(9, 10**6).events == [raw_event("one"), raw_event("two")]
    journal.close()


def test_what_a_full_disk_does_not_take_over_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Journal(tmp_path)
    left.record_raw(raw_event("left"))
    left.close()
    heir = Journal(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(os, "write", _fail)
        recover(tmp_path, heir)
    kept = [path for path in tmp_path.glob("*.jsonl") if path.stat().st_size]
    assert b"E " + raw_event("left") + b"\n" in [path.read_bytes() for path in kept]
    heir.close()

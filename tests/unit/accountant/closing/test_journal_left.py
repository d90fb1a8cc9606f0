from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import event, raw_event
from closed_months import OCTOBER

from accountant.closing.journal_left import journal_left
from tollgate.errors import SettingsError
from tollgate.events.journal import Journal
from tollgate.events.segments import lock_path

NEXT = datetime(2026, 11, 1, tzinfo=UTC)
BEFORE = datetime(2026, 9, 30, 23, tzinfo=UTC)


def left_behind(folder: Path) -> Journal:
    """The journal of a process that died, with events of three months and a begun request."""
    journal = Journal(folder)
    journal.begin("begun", raw_event("begun"))
    journal.begin("1", raw_event("1"))
    journal.record(event("1"))
    journal.record(event("before", BEFORE))
    journal.record(event("next", NEXT))
    return journal


def test_events_of_a_process_that_died_are_in_the_way_those_of_later_months_are_not(
    tmp_path: Path,
) -> None:
    left_behind(tmp_path).close()
    found = journal_left(tmp_path, OCTOBER)
    [blocker] = found.blockers
    assert (blocker.what, blocker.months) == ("journal", {"2026-09": 1, "2026-10": 2})
    assert found.running == 0


def test_of_a_process_that_runs_nobody_knows_what_it_published(tmp_path: Path) -> None:
    journal = left_behind(tmp_path)
    found = journal_left(tmp_path, OCTOBER)
    assert (found.blockers, found.running) == ([], 1)
    journal.close()


def test_looking_changes_nothing_for_whoever_takes_over(tmp_path: Path) -> None:
    left_behind(tmp_path).close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    journal_left(tmp_path, OCTOBER)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_line_that_is_no_event_counts_for_no_month(tmp_path: Path) -> None:
    no_zone = b'E {"id": "1", "time": "2026-10-01T00:00:00"}\n'
    (tmp_path / "writer-00000000.jsonl").write_bytes(b'E {"id": 1}\nE \xff\n' + no_zone)
    lock_path(tmp_path, "writer").touch()
    [blocker] = journal_left(tmp_path, OCTOBER).blockers
    assert blocker.months == {"": 3}


def test_an_empty_journal_is_dry(tmp_path: Path) -> None:
    assert journal_left(tmp_path, OCTOBER).blockers == []


def test_a_folder_that_is_none_or_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="is no folder of a journal"):
        journal_left(tmp_path / "nowhere", OCTOBER)

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(SettingsError, match="the journal cannot be read: Permission denied"):
        journal_left(tmp_path, OCTOBER)

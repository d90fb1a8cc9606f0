from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
from builders import event, raw_event

from tollgate.events.journal import Journal
from tollgate.events.recovery import recover
from tollgate.events.refused import REFUSED_FILE
from tollgate.usage.event import UsageEvent

ALL = 1_000_000_000
UNKNOWN: dict[str, Any] = {"provenance": "unknown", "tokens": None}

# Prints an event's id when it is safe; requests 7, 17, … are begun and have no event yet.
WRITER = """
import sys
from pathlib import Path
from builders import event, raw_event
from tollgate.events.journal import Journal

journal = Journal(Path(sys.argv[1]), segment_bytes=20_000)
for number in range(1_000_000):
    journal.begin(f"req-{number}", raw_event(f"req-{number}", provenance="unknown", tokens=None))
    if number % 10 != 7:
        journal.record(event(f"req-{number}"))
    print(number, flush=True)
"""


def _recovered(folder: Path) -> list[UsageEvent]:
    journal = Journal(folder)
    count = recover(folder, journal)
    batch = journal.next_batch(ALL, ALL)
    journal.commit(batch)
    journal.close()
    assert count == len(batch.events)
    return [msgspec.json.decode(raw, type=UsageEvent) for raw in batch.events]


def _abandoned(folder: Path) -> Journal:
    """A journal whose writer is dead: its lock is free."""
    journal = Journal(folder, segment_bytes=1)
    journal.begin("open", raw_event("open", **UNKNOWN))
    journal.record(event("req-1"))
    journal.begin("req-2", raw_event("req-2", **UNKNOWN))
    journal.record(event("req-2"))
    journal.close()
    return journal


def test_an_empty_folder_has_nothing_to_recover(tmp_path: Path) -> None:
    assert _recovered(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["guard"]


def test_a_dead_writers_events_are_taken_over_and_a_begun_request_is_unknown(
    tmp_path: Path,
) -> None:
    _abandoned(tmp_path)
    found = {taken.id: taken.data.provenance for taken in _recovered(tmp_path)}
    assert found == {"req-1": "measured", "req-2": "measured", "open": "unknown"}
    assert [path.name for path in tmp_path.iterdir()] == ["guard"]


def test_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    living = Journal(tmp_path)
    living.record(event("req-1"))
    assert _recovered(tmp_path) == []
    assert living.next_batch(ALL, ALL).events == [raw_event("req-1")]
    living.close()


def test_a_torn_last_line_is_a_request_without_event(tmp_path: Path) -> None:
    (tmp_path / "dead.lock").touch()
    line = raw_event("req-1", **UNKNOWN)
    torn = b"B " + line + b"\nE " + raw_event("req-1")[:50]
    (tmp_path / "dead-00000000.jsonl").write_bytes(torn)
    assert [taken.data.provenance for taken in _recovered(tmp_path)] == ["unknown"]


def test_a_line_that_is_no_event_is_kept_aside_and_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "dead.lock").touch()
    spoilt = b"E \xff\x00 rubbish\nE {}\nX " + raw_event("req-0") + b"\n"
    (tmp_path / "dead-00000000.jsonl").write_bytes(spoilt + b"E " + raw_event("req-1") + b"\n")
    assert [taken.id for taken in _recovered(tmp_path)] == ["req-1"]
    assert (tmp_path / REFUSED_FILE).read_bytes() == b"\xff\x00 rubbish\n{}\n"
    assert "no event" in caplog.text


def test_a_lock_whose_segments_are_gone_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "dead.lock").touch()
    assert _recovered(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["guard"]


def test_a_recovery_that_dies_half_way_loses_nothing(tmp_path: Path) -> None:
    _abandoned(tmp_path)
    copies = {path: path.read_bytes() for path in tmp_path.iterdir()}
    first = Journal(tmp_path)
    recover(tmp_path, first)
    first.close()
    for path, content in copies.items():
        path.write_bytes(content)  # as if it had died before it deleted them
    assert {taken.id for taken in _recovered(tmp_path)} == {"req-1", "req-2", "open"}


def test_a_killed_process_loses_no_event_and_no_begun_request(tmp_path: Path) -> None:
    command = [sys.executable, "-c", dedent(WRITER), str(tmp_path)]
    tests = str(Path(__file__).parents[2])
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": tests}) as writer:
        assert writer.stdout is not None
        safe = [int(writer.stdout.readline()) for _ in range(500)]
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=10)
        safe += [int(line) for line in writer.stdout.read().split(b"\n")[:-1]]
    found = [(taken.id, taken.data.provenance) for taken in _recovered(tmp_path)]
    told = {(f"req-{n}", "unknown" if n % 10 == 7 else "measured") for n in safe}
    assert len(found) == len(set(found))
    assert told <= set(found)
    assert len(set(found) - told) <= 1  # written, and killed before it could say so


STARTS = """
import os, sys
from pathlib import Path
from builders import event
from tollgate.events.journal import Journal
from tollgate.events.recovery import recover

folder, name = Path(sys.argv[1]), sys.argv[2]
journal = Journal(folder)
recover(folder, journal)
for number in range(5):
    journal.record(event(f"{name}-{number}"))
os._exit(0)
"""


def test_processes_that_start_at_once_take_nothing_from_each_other(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    for turn in range(3):
        started = [
            subprocess.Popen(
                [sys.executable, "-c", STARTS, str(tmp_path), f"{turn}-{name}"], env=environment
            )
            for name in range(4)
        ]
        assert [process.wait(30) for process in started] == [0] * 4
    ids = {taken.id for taken in _recovered(tmp_path)}
    assert len(ids) == 3 * 4 * 5


def test_segments_without_a_lock_are_taken_over_too(tmp_path: Path) -> None:
    _abandoned(tmp_path)
    for lock in tmp_path.glob("*.lock"):
        lock.unlink()
    assert {taken.id for taken in _recovered(tmp_path)} == {"req-1", "req-2", "open"}

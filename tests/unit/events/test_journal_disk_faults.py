"""A disk that fails, and a process that is killed, cost no event."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from builders import raw_event

from tollgate.events.journal import Journal
from tollgate.events.recovery import recover

_DIES_WRITING = """
import os, signal, sys
from pathlib import Path
from tollgate.events.journal import Journal

journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    journal.record_raw(b'{"id":"%d"}' % number)
os.kill(os.getpid(), signal.SIGKILL)
"""


def _no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_a_full_disk_does_not_take_over_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Journal(tmp_path)
    left.record_raw(raw_event("left"))
    left.close()
    heir = Journal(tmp_path, segment_bytes=1)
    with monkeypatch.context() as full:
        full.setattr(os, "posix_fallocate", _no_room)
        recover(tmp_path, heir)
        kept = [path.read_bytes().rstrip(b"\0") for path in tmp_path.glob("*.jsonl")]
    assert b"E " + raw_event("left") + b"\n" in kept
    heir.close()


def test_a_journal_is_not_opened_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", _no_room)
    with pytest.raises(OSError, match="No space left"):
        Journal(tmp_path)
    assert list(tmp_path.glob("*.jsonl")) == []


def test_what_is_only_in_memory_is_published_in_batches_of_their_size_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    events = [raw_event(str(number)) for number in range(3)]
    batches: list[list[bytes]] = []
    with monkeypatch.context() as full:
        full.setattr(os, "posix_fallocate", _no_room)
        for event in events:
            journal.record_raw(event)
        for max_bytes in (2 * len(events[0]), 1, 1):
            batch = journal.next_batch(9, max_bytes)
            batches.append(batch.events)
            journal.commit(batch)
    assert batches == [events[:2], events[2:], []]
    journal.close()


def test_what_a_killed_process_has_recorded_is_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _DIES_WRITING, str(tmp_path), "3000"]
    killed = subprocess.run(command, check=False)
    assert killed.returncode == -signal.SIGKILL
    heir = Journal(tmp_path)
    assert recover(tmp_path, heir) == 3000
    found = heir.next_batch(9999, 10**6).events
    assert found == [b'{"id":"%d"}' % number for number in range(3000)]
    heir.close()

"""The archive by hour."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOON, raw_event
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import OCTOBER, measured

from tollgate.ledger.archive import Archive
from tollgate.ledger.archive_files import archive_files, read_events
from tollgate.usage.event import MAX_EVENT_BYTES, ReceivedEvent, decode_event

FILE = Path("2026", "10", "15", "12.jsonl")


def read(folder: Path) -> list[ReceivedEvent]:
    return list(read_events(archive_files(folder)))


def ids(folder: Path) -> list[str]:
    return [event.event.id for event in read(folder)]


def test_events_lie_in_the_file_of_their_own_hour(tmp_path: Path) -> None:
    Archive(tmp_path).append([measured("a"), measured("b", NOON + timedelta(hours=1))])
    files = sorted(file for file in tmp_path.rglob("*") if file.is_file())
    assert files == [tmp_path / FILE, tmp_path / FILE.with_name("13.jsonl")]


def test_what_was_appended_is_read_by_hour_duplicates_included(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append([measured("late", NOON + timedelta(hours=1)), measured("a")])
    archive.append([measured("a"), measured("november", OCTOBER.end)])
    assert ids(tmp_path) == ["a", "a", "late", "november"]


def test_unknown_members_and_large_numbers_stay_as_received(tmp_path: Path) -> None:
    raw = raw_event().replace(b'"data":{', b'"x":123456789012345678901,\r\n "data":{\n "y": 1.50,')
    Archive(tmp_path).append([decode_event(raw)])
    [line] = (tmp_path / FILE).read_bytes().splitlines()
    assert b'"x":123456789012345678901,' in line
    assert b'"y":1.50,' in line


@settings(max_examples=30, deadline=None)
@given(st.text(" \t\r\n", max_size=3), st.text(st.characters(codec="utf-8"), max_size=9))
def test_any_event_stands_on_one_line_and_keeps_its_digests(white: str, text: str) -> None:
    extra = f'"data": {white} {{ "x": {json.dumps(text)}, {white}'.encode()
    event = decode_event(raw_event().replace(b'"data":{', extra))
    with tempfile.TemporaryDirectory() as folder:
        Archive(Path(folder)).append([event])
        [kept] = read(Path(folder))
        assert (Path(folder) / FILE).read_bytes() == kept.raw + b"\n"
    assert (kept.event, kept.key, kept.body) == (event.event, event.key, event.body)


def test_a_second_batch_is_one_more_write(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append([measured("a"), measured("b")])
    before = (tmp_path / FILE).read_bytes()
    archive.append([measured("c")])
    assert (tmp_path / FILE).read_bytes() == before + measured("c").raw + b"\n"


def test_a_line_cut_short_by_a_crash_is_left_out(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append([measured("a"), measured("b")])
    os.truncate(tmp_path / FILE, (tmp_path / FILE).stat().st_size - 20)
    assert ids(tmp_path) == ["a"]
    archive.append([measured("b")])
    assert ids(tmp_path) == ["a", "b"]


def test_nothing_is_appended_behind_half_a_line_of_another_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, really_write = Archive(tmp_path), os.write

    def cut_short() -> None:
        with pytest.raises(OSError, match="bytes written"):
            archive.append([measured("half")])

    other = threading.Thread(target=cut_short)

    def write(descriptor: int, lines: bytes) -> int:
        if threading.current_thread() is other:
            return really_write(descriptor, lines[: len(lines) // 2])
        other.start()
        other.join(timeout=0.2)  # it has looked at the file's end, or waits for its turn
        return really_write(descriptor, lines)

    monkeypatch.setattr(os, "write", write)
    archive.append([measured("whole")])
    other.join()
    assert ids(tmp_path) == ["whole"]


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_less(_: int, data: bytes) -> int:
        return len(data) - 1

    monkeypatch.setattr(os, "write", write_less)
    with pytest.raises(OSError, match="is the disk full"):
        Archive(tmp_path).append([measured()])


def test_a_line_says_when_it_was_written_and_is_the_same_event(tmp_path: Path) -> None:
    event = measured("a")
    Archive(tmp_path).append([event], NOON + timedelta(hours=2))
    (file,) = tmp_path.rglob("*.jsonl")
    (line,) = file.read_bytes().splitlines()
    assert line.endswith(b',"archivedtime":"2026-10-15T14:00:00.000000+00:00"}')
    again = decode_event(line)
    assert (again.key, again.body, again.event) == (event.key, event.body, event.event)


def test_an_event_that_would_grow_too_long_to_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    small = measured("a").raw
    spare = MAX_EVENT_BYTES - len(small) - len(b',"x":""')
    raw = small[:-1] + b',"x":"' + b"y" * spare + b'"}'
    Archive(tmp_path).append([decode_event(raw)], NOON)
    (file,) = tmp_path.rglob("*.jsonl")
    assert file.read_bytes() == raw + b"\n"

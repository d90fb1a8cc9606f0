"""Finding and reading the files of an archive."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOON, raw_event
from captures import write_capture
from ledgers import measured

from tollgate.errors import DamagedFile, InvalidEvent, SettingsError
from tollgate.ledger.archive import Archive
from tollgate.ledger.archive_files import archive_files, read_events, read_raw


def ids(folder: Path) -> list[str]:
    return [event.event.id for event in read_events(archive_files(folder))]


def test_both_kinds_are_found_in_the_order_of_their_times(tmp_path: Path) -> None:
    write_capture(tmp_path, [raw_event("b")], 61)
    write_capture(tmp_path, [raw_event("a")], 59, partition=9)
    Archive(tmp_path).append([measured("x", NOON + timedelta(hours=1))])
    assert ids(tmp_path) == ["a", "x", "b"]
    assert [file.since for file in archive_files(tmp_path)] == [
        "2026-10-15T12",
        "2026-10-15T13",
        "2026-10-15T13",
    ]


def test_capture_folders_of_another_order_are_read(tmp_path: Path) -> None:
    file = write_capture(tmp_path, [raw_event("a")])
    file.rename(tmp_path / "renamed.avro")
    [found] = archive_files(tmp_path)
    assert (found.since, found.place(3)) == ("", f"{tmp_path}/renamed.avro, event 3")
    assert ids(tmp_path) == ["a"]


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text("{}\n")
    (tmp_path / "2026/10/15").mkdir(parents=True)
    (tmp_path / "2026/10/15/12.jsonl.tmp").write_text("{}\n")
    assert archive_files(tmp_path) == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no archive is there"):
        archive_files(tmp_path / "none")


def test_what_is_appended_after_the_look_is_not_read(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append([measured("a")])
    [before] = archive_files(tmp_path)
    archive.append([measured("b")])
    assert len(list(read_raw(before))) == 1
    [after] = archive_files(tmp_path)
    assert [raw for _, raw in read_raw(after, before.size)] == [measured("b").raw + b"\n"]


def test_a_line_that_someone_changed_is_named(tmp_path: Path) -> None:
    Archive(tmp_path).append([measured("a"), measured("b")])
    [found] = archive_files(tmp_path)
    found.path.write_bytes(found.path.read_bytes().replace(b"contoso", b"", 2))
    with pytest.raises(InvalidEvent, match=r"12\.jsonl, line 1: "):
        ids(tmp_path)


def test_what_a_hub_received_and_an_intake_refuses_is_left_out(tmp_path: Path) -> None:
    write_capture(tmp_path, [b"rubbish", None, raw_event("a")])
    assert ids(tmp_path) == ["a"]


def test_a_broken_capture_file_is_named(tmp_path: Path) -> None:
    file = write_capture(tmp_path, [raw_event("a")])
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedFile, match=r"00\.avro: block 1, from byte"):
        ids(tmp_path)

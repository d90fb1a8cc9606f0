"""The manifest of an archive by hour."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from builders import NOON, raw_event
from captures import write_capture
from ledgers import measured

from tollgate.ledger.archive import Archive
from tollgate.ledger.archive_files import archive_files
from tollgate.ledger.captured_gaps import gaps
from tollgate.ledger.manifest import NAME, Checked, check, seal

LATER = NOON + timedelta(hours=9)
HOUR = timedelta(hours=1)


def sealed(folder: Path) -> Archive:
    archive = Archive(folder)
    archive.append([measured("a"), measured("b"), measured("c", NOON + HOUR)])
    seal(folder, LATER)
    return archive


def breaks(folder: Path) -> list[str]:
    return check(folder, LATER).breaks


def test_an_entry_says_how_many_events_and_bytes_an_hour_has(tmp_path: Path) -> None:
    Archive(tmp_path).append([measured("a"), measured("b")])
    [entry] = seal(tmp_path, LATER)
    size = (tmp_path / entry.file).stat().st_size
    assert (entry.file, entry.start, entry.end, entry.lines) == ("2026/10/15/12.jsonl", 0, size, 2)


def test_an_hour_is_sealed_two_hours_after_it_ended(tmp_path: Path) -> None:
    Archive(tmp_path).append([measured("a")])
    assert seal(tmp_path, NOON + 2.9 * HOUR) == []
    assert check(tmp_path, NOON + 2.9 * HOUR).unsealed == []
    assert check(tmp_path, NOON + 3 * HOUR).unsealed == ["2026/10/15/12.jsonl, from byte 0 on"]
    assert len(seal(tmp_path, NOON + 3 * HOUR)) == 1
    assert check(tmp_path, NOON + 3 * HOUR).unsealed == []


def test_late_events_get_an_entry_of_their_own(tmp_path: Path) -> None:
    archive = sealed(tmp_path)
    head = check(tmp_path, LATER).head
    archive.append([measured("late")])
    assert (breaks(tmp_path), len(check(tmp_path, LATER).unsealed)) == ([], 1)
    [entry] = seal(tmp_path, LATER)
    assert (entry.lines, entry.previous) == (1, head)
    assert seal(tmp_path, LATER) == []
    checked = check(tmp_path, LATER)
    assert (checked.breaks, checked.unsealed) == ([], [])
    assert checked.head != head


def test_a_torn_line_is_no_event(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append([measured("a")])
    file = tmp_path / "2026/10/15/12.jsonl"
    with file.open("ab") as torn:
        torn.write(b'{"id"')
    [entry] = seal(tmp_path, LATER)
    archive.append([measured("b")])
    [other] = seal(tmp_path, LATER)
    assert (entry.lines, other.lines) == (1, 1)
    assert breaks(tmp_path) == []


def test_a_changed_line_a_shorter_file_and_a_missing_one_are_named(tmp_path: Path) -> None:
    sealed(tmp_path)
    first, second = (tmp_path / f"2026/10/15/{hour}.jsonl" for hour in (12, 13))
    whole = first.read_bytes()
    first.write_bytes(whole.replace(b"alice", b"mallo"))
    assert breaks(tmp_path) == [
        f"2026/10/15/12.jsonl: was changed between bytes 0 and {len(whole)}"
    ]
    first.write_bytes(whole[:-1])
    assert breaks(tmp_path) == ["2026/10/15/12.jsonl: is shorter than it was sealed"]
    first.write_bytes(whole)
    second.unlink()
    assert breaks(tmp_path) == ["2026/10/15/13.jsonl: is gone, with 1 events"]


def test_an_entry_that_was_changed_removed_or_put_in_is_named(tmp_path: Path) -> None:
    archive = sealed(tmp_path)
    archive.append([measured("late")])
    seal(tmp_path, LATER)
    manifest = tmp_path / NAME
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(lines[1:]))
    assert (
        breaks(tmp_path)[0] == f"{NAME}, line 1: the line before it was changed, removed or put in"
    )
    manifest.write_bytes(lines[0] + lines[0] + b"".join(lines[1:]))
    assert f"{NAME}, line 2: does not begin where 2026/10/15/12.jsonl was sealed to" in breaks(
        tmp_path
    )
    manifest.write_bytes(lines[0] + b"{}\n" + b"".join(lines[1:]))
    assert f"{NAME}, line 2: is no entry of a manifest" in breaks(tmp_path)


def test_the_end_that_was_cut_off_shows_in_the_head(tmp_path: Path) -> None:
    sealed(tmp_path)
    head = check(tmp_path, LATER).head
    manifest = tmp_path / NAME
    manifest.write_bytes(manifest.read_bytes().splitlines(keepends=True)[0])
    assert check(tmp_path, LATER).head != head


def test_an_archive_without_a_manifest_is_all_unsealed(tmp_path: Path) -> None:
    Archive(tmp_path).append([measured("a")])
    write_capture(tmp_path, [raw_event("c")])
    assert check(tmp_path, LATER) == Checked([], ["2026/10/15/12.jsonl, from byte 0 on"], "0" * 64)


def test_numbers_that_no_capture_file_has_are_missing(tmp_path: Path) -> None:
    write_capture(tmp_path, [b"a", b"b"], 0, first=7)
    write_capture(tmp_path, [], 5)
    missing = write_capture(tmp_path, [b"c"], 10, first=9)
    write_capture(tmp_path, [b"d"], 15, first=10)
    write_capture(tmp_path, [b"e"], 15, first=90, partition=1)
    assert gaps(archive_files(tmp_path)) == []
    missing.unlink()
    [gap] = gaps(archive_files(tmp_path))
    assert gap.endswith("/usage/0/*.avro: events 9 to 9 are missing")


def test_a_broken_capture_file_is_a_gap_where_others_follow(tmp_path: Path) -> None:
    broken = write_capture(tmp_path, [b"a", b"b"], 0)
    write_capture(tmp_path, [b"c"], 5, first=2)
    broken.write_bytes(broken.read_bytes()[:-3])
    (tmp_path / "other.avro").write_bytes(broken.read_bytes())
    assert gaps(archive_files(tmp_path)) == []  # nothing of it can be read: the audit says so

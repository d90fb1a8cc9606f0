from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from tollgate.events.mapped_segment import MappedSegment
from tollgate.events.segments import read_lines


def test_lines_are_in_the_file_as_soon_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    segment = MappedSegment(path, 64)
    assert segment.append(b"E one")
    assert segment.append(b"E two")
    assert [event for _, event, _ in read_lines(path)] == [b"one", b"two"]
    assert segment.read(6) == b"E two\n"
    segment.close()


@pytest.mark.parametrize(("length", "fits"), [(9, True), (10, False), (11, False)])
def test_a_line_fits_with_its_end_or_not_at_all(tmp_path: Path, length: int, fits: bool) -> None:  # noqa: FBT001  a table's column
    segment = MappedSegment(tmp_path / "segment", 10)
    assert segment.append(b"x" * length) is fits
    assert segment.read(0) == (b"x" * length + b"\n" if fits else b"")
    segment.close()


def test_all_of_its_blocks_are_there_before_a_line_is_written(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    segment = MappedSegment(path, 1024 * 1024)
    assert path.stat().st_blocks * 512 >= 1024 * 1024
    segment.close()


def test_a_segment_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"E one\n")
    with pytest.raises(FileExistsError):
        MappedSegment(path, 64)
    assert path.read_bytes() == b"E one\n"


def test_where_memory_cannot_be_mapped_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr("tollgate.events.mapped_segment.mmap", refuse)
    with pytest.raises(OSError, match="No such device"):
        MappedSegment(tmp_path / "segment", mmap.PAGESIZE)
    assert list(tmp_path.iterdir()) == []

from __future__ import annotations

import os
from pathlib import Path

from tollgate.events.segments import lock_path, read_lines, segment_path, try_lock


def test_a_lock_is_held_by_one_and_free_when_it_is_closed(tmp_path: Path) -> None:
    path = lock_path(tmp_path, "writer")
    first = try_lock(path)
    assert first is not None
    assert try_lock(path) is None
    os.close(first)
    second = try_lock(path)
    assert second is not None
    os.close(second)


def test_lines_are_read_from_an_offset_with_the_offset_behind_each(tmp_path: Path) -> None:
    path = segment_path(tmp_path, "writer", 3)
    path.write_bytes(b'B {"id":"1"}\nE {"id":"2"}\n')
    lines = list(read_lines(path))
    assert lines == [(b"B", b'{"id":"1"}', 13), (b"E", b'{"id":"2"}', 26)]
    assert list(read_lines(path, 13)) == lines[1:]
    assert list(read_lines(path, 26)) == []


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = segment_path(tmp_path, "writer", 0)
    path.write_bytes(b'E {"id":"1"}\nE {"id"')
    assert [event for _, event, _ in read_lines(path)] == [b'{"id":"1"}']


def test_a_line_that_was_cut_off_half_written_is_left_out(tmp_path: Path) -> None:
    path = segment_path(tmp_path, "writer", 0)
    path.write_bytes(b'E {"id":"1"}\nE {"\0\0\0\0:"2"}\0\0\0')
    assert [event for _, event, _ in read_lines(path)] == [b'{"id":"1"}']

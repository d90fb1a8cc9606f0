from __future__ import annotations

from pathlib import Path

import pytest

from accountant.report_file import write_report


def test_a_report_replaces_an_older_one_in_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "statements" / "2026"
    write_report(folder, "report.json", b"old")
    path = write_report(folder, "report.json", b"new")
    assert path.read_bytes() == b"new"
    assert [*folder.iterdir()] == [path]


def test_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_report(tmp_path, "report.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]

from __future__ import annotations

from pathlib import Path

import pytest

from accountant.asides import written_aside


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.csv"
    with written_aside(path) as aside:
        aside.write_text("half")
        assert not path.exists()
    assert [*path.parent.iterdir()] == [path]


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("old")

    def write_half() -> None:
        with written_aside(path) as aside:
            aside.write_text("new")
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        write_half()
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_two_files_at_once_do_not_meet(tmp_path: Path) -> None:
    with written_aside(tmp_path / "a") as a, written_aside(tmp_path / "b") as b:
        a.write_text("a")
        b.write_text("b")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["a", "b"]

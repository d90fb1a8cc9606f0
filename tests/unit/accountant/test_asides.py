from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from accountant.asides import written_aside, written_together

# Writes a document and what belongs to it, and is killed after so many renames.
_KILLED = """
import os, pathlib, signal, sys
from accountant.asides import written_together
renames, replace = int(sys.argv[1]), pathlib.Path.replace
def counted(self, target):
    global renames
    if not renames:
        os.kill(os.getpid(), signal.SIGKILL)
    renames -= 1
    return replace(self, target)
pathlib.Path.replace = counted
with written_together(pathlib.Path("document"), pathlib.Path("beside")) as asides:
    for aside in asides:
        aside.write_text("new")
"""


def killed(folder: Path, after_renames: int) -> dict[str, str]:
    """What is in a folder of old files after such an end, but for what was written aside."""
    for name in ("document", "beside"):
        (folder / name).write_text("old")
    command = [sys.executable, "-c", _KILLED, str(after_renames)]
    done = subprocess.run(command, cwd=folder, check=False)
    assert done.returncode == (-signal.SIGKILL if after_renames < 2 else 0)
    return {path.name: path.read_text() for path in folder.iterdir() if path.suffix != ".part"}


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


@pytest.mark.parametrize(
    ("renames", "left"),
    [
        (0, {"beside": "old"}),
        (1, {"beside": "new"}),
        (2, {"document": "new", "beside": "new"}),
    ],
)
def test_a_document_is_never_beside_another_runs_files_even_if_killed(
    renames: int, left: dict[str, str], tmp_path: Path
) -> None:
    assert killed(tmp_path, renames) == left


def test_a_process_killed_while_it_writes_leaves_the_older_file(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("old")
    text = """
import os, pathlib, signal
from accountant.asides import written_aside
with written_aside(pathlib.Path("report.csv")) as aside:
    aside.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "report.csv").read_text() == "old"


def test_files_that_belong_together_appear_together_or_not_at_all(tmp_path: Path) -> None:
    paths = tmp_path / "document", tmp_path / "new" / "beside"

    def write_half() -> None:
        with written_together(*paths) as (document, _):
            document.write_text("half")
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        write_half()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

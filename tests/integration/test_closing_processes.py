from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from closing_desk import Desk

from accountant.closing.books import Books

pytest_plugins = ["servers", "closing_desk"]

AT_ONCE = 6
# The command, killed when it calls a function of the operating system for the nth time.
KILLED = """
import os, signal, sys
name, times = sys.argv.pop(1).split()
real, left = getattr(os, name), [int(times)]
def call(*arguments, **options):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **options)
setattr(os, name, call)
from accountant.cli import main
main()
"""


def started(desk: Desk, month: str, by: str, calls: str = "") -> subprocess.Popen[str]:
    """`accountant close` as a process of its own, which may be killed at a call."""
    program = ["-c", KILLED, calls] if calls else ["-m", "accountant"]
    command = [sys.executable, *program, "close", month, "--by", by]
    command += ["--rates", str(desk.rates), "--books", str(desk.books), "--redis-url", desk.url]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.integration
def test_of_many_processes_at_once_one_closes_and_the_others_say_so(desk: Desk) -> None:
    names = [f"desk-{number}" for number in range(AT_ONCE)]
    processes = {name: started(desk, "2024-10", name) for name in names}
    told = {name: process.communicate() for name, process in processes.items()}
    assert {process.returncode for process in processes.values()} == {0}
    winners = [name for name, (stdout, _) in told.items() if "is closed: 2 statements" in stdout]
    [sealed] = Books(desk.books).sealed
    assert winners == [sealed.seal.by]
    for name in set(names) - set(winners):
        stdout, stderr = told[name]
        assert stdout == ""
        assert f"accountant: 2024-10 was closed by {winners[0]} on " in stderr
    books = Books(desk.books)
    assert (books.strays(), books.problems()) == ([], [])


@pytest.mark.integration
@pytest.mark.parametrize(
    "calls", ["fsync 1", "replace 1", "fsync 2", "fsync 3", "link 1", "fsync 4"]
)
def test_a_close_that_is_killed_leaves_a_month_closed_or_not(desk: Desk, calls: str) -> None:
    killed = started(desk, "2024-10", "killed", calls)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    left = Books(desk.books)
    assert left.problems() == []
    assert len(left.sealed) == (calls == "fsync 4")  # by then the seal has its name
    result = desk.close("2024-10")
    assert result.exit_code == 0
    books = Books(desk.books)
    [sealed] = books.sealed
    assert sealed.seal.by == ("killed" if left.sealed else "ada")
    assert (books.problems(), sealed.seal.last_number) == ([], 2)
    assert desk.read("report", "2024-10", url="").exit_code == 0
    assert desk.close("2024-11").exit_code == 0

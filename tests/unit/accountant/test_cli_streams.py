"""What the command says where its output cannot go."""

from __future__ import annotations

import subprocess
import sys

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event

pytest_plugins = ["servers"]

DATABASE = 6  # of its own, beside those of other tests


@pytest.fixture
def ledger(redis_server: str) -> str:
    """The URL of a ledger whose report is longer than a pipe holds."""
    url = empty_redis(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, (event(str(n), billing_code=f"CC-{n}") for n in range(1000)))
    return url


def shell(script: str, url: str) -> subprocess.CompletedProcess[str]:
    """Run a script of bash in which `$report` is the command."""
    command = f"{sys.executable} -m accountant report 2026-10 --format csv --redis-url {url}"
    return subprocess.run(
        ["/bin/bash", "-c", f"report='{command}'; {script}"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_is_one_line(ledger: str) -> None:
    found = shell("$report >/dev/full", ledger)
    assert (found.returncode, found.stderr) == (
        2,
        "accountant: cannot write to stdout: No space left on device\n",
    )


def test_a_closed_stdout_is_one_line(ledger: str) -> None:
    found = shell("$report >&-", ledger)
    assert (found.returncode, found.stderr) == (
        2,
        "accountant: cannot write to stdout: it is closed\n",
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_is_no_problem(ledger: str, unbuffered: str) -> None:
    script = f"export PYTHONUNBUFFERED={unbuffered}; $report | head -1; exit ${{PIPESTATUS[0]}}"
    found = shell(script, ledger)
    assert (found.returncode, found.stderr) == (141, "")
    assert found.stdout.startswith("period,tenant,")

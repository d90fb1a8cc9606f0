"""What the command says where its output cannot go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from closed_months import write_rates

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


@pytest.mark.parametrize("command", ["status", "close 2026-10 --by ada --rates rates.toml"])
@pytest.mark.parametrize(
    ("to", "why"), [("/dev/full", "No space left on device"), ("&-", "closed")]
)
def test_what_the_books_say_is_written_or_its_loss_is_told(
    command: str, to: str, why: str, tmp_path: Path, ledger: str
) -> None:
    write_rates(tmp_path / "rates.toml")
    typed = f"{sys.executable} -m accountant {command} --books {tmp_path / 'books'}"
    found = shell(f"cd {tmp_path}; TOLLGATE_REDIS_URL={ledger} {typed} >{to}", ledger)
    assert found.returncode == 2
    assert found.stderr.splitlines()[-1].startswith("accountant: cannot write to stdout:")
    assert why in found.stderr

"""What the command says where its output cannot go."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from accounting import OCTOBER
from builders import event

from tollgate.connections.redis import open_redis
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.usage.event import decode_event, encode_event

pytest_plugins = ["servers"]

DATABASE = 6  # of its own, beside those of other tests


@pytest.fixture
def ledger(redis_server: str) -> str:
    """The URL of a ledger whose report is longer than a pipe holds."""
    url = f"{redis_server}/{DATABASE}"
    asyncio.run(_fill(url))
    return url


async def _fill(url: str) -> None:
    async with open_redis(url) as redis:
        await redis.flushdb()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        events = [event(str(n), billing_code=f"CC-{n}") for n in range(1000)]
        received = [decode_event(encode_event(each)) for each in events]
        await RedisLedger(redis).apply(received, now=OCTOBER.end)


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

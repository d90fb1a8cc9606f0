"""From a call of the openai SDK to a line on a statement, with the commands that a user types."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openai import OpenAI

BIN = Path(sys.executable).parent
ENVIRONMENT = {"PATH": str(BIN), "COLUMNS": "200"}

pytestmark = pytest.mark.e2e


def start(data: Path) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """`tollgate serve` on free ports, and what its table says: gateway, ledger, …"""
    command = [BIN / "tollgate", "serve", "--port", "0", "--data", data]
    environment = {**ENVIRONMENT, "TOLLGATE_JOURNAL": str(data / "journal")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    rows: dict[str, str] = {}
    for line in process.stdout:
        if found := re.match(r"│ (?P<name>[^│]+?) +│ (?P<value>[^│]+?) +│", line):
            rows[found["name"]] = found["value"]
        if "Ctrl+C" in line:
            break
    return process, rows


@contextmanager
def serving(data: Path) -> Generator[dict[str, str]]:
    """It runs while the block does."""
    process, rows = start(data)
    with process:
        try:
            yield rows
        finally:
            process.terminate()
            assert process.wait(20) == 0


def servers_in(folder: Path) -> list[int]:
    """The processes whose working folder is there or was: that is where a Redis of ours runs."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            where = (entry / "cwd").readlink()
            if where.is_relative_to(folder) and (entry / "stat").read_text().split()[2] != "Z":
                found.append(int(entry.name))
    return found


def report(rows: dict[str, str], month: str, *options: str) -> dict[str, Any]:
    command = [BIN / "accountant", "report", month, "--format", "json", *options]
    environment = {**ENVIRONMENT, "TOLLGATE_REDIS_URL": rows["ledger"].partition("=")[2]}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=30, check=False)
    return msgspec.json.decode(done.stdout)


def eventually(found: Callable[[], bool], timeout_s: float = 20) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not found():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.1)


def alice(rows: dict[str, str]) -> OpenAI:
    return OpenAI(
        base_url=rows["gateway"].split()[0],
        api_key=rows["key of contoso"],
        default_query={"username": "alice", "companyName": "contoso", "billingCode": "CC-1001"},
    )


def say_hello(rows: dict[str, str]) -> int:
    """One call of alice's; returns its tokens."""
    with alice(rows) as client:
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}]
        )
    assert answer.usage is not None
    return answer.usage.total_tokens


def test_a_call_becomes_a_line_and_stays_one_after_a_restart(tmp_path: Path) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")  # noqa: TID251  serve books real time
    with serving(tmp_path) as rows:
        tokens = say_hello(rows)
        eventually(lambda: report(rows, month)["coverage"]["requests"] == 1)
        before = report(rows, month, "--by", "user")
    assert {line["user"] for line in before["lines"]} == {"alice"}
    assert sum(line["quantity"] for line in before["lines"]) == tokens
    with serving(tmp_path) as rows:
        assert report(rows, month, "--by", "user") == before


def slow_down(region_url: str) -> None:
    faults = b'{"faults": [{"kind": "slow_frames", "delay_s": 0.2}]}'
    urllib.request.urlopen(f"{region_url}/admin/faults", faults, timeout=10).close()  # noqa: S310  loopback


def test_a_stream_that_serve_ends_under_counts_as_far_as_it_was_seen(tmp_path: Path) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")  # noqa: TID251  same
    with serving(tmp_path) as rows, alice(rows) as client:
        slow_down(rows["region weu-1"].split()[0])
        stream = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "Hello in 400 words"}],
            stream=True,
        )
        for _ in range(4):
            next(iter(stream))
    with serving(tmp_path) as rows:
        eventually(lambda: report(rows, month)["coverage"]["requests"] == 1)
        assert report(rows, month)["coverage"]["estimated"] == 1


def remember_a_free_port(folder: Path) -> None:
    """One for the ledger that no test beside this one takes."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder.mkdir()
    (folder / "server.json").write_text(f'{{"port": {port}}}')


def test_a_killed_serve_leaves_nothing_that_the_next_one_does_not_take_over(tmp_path: Path) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")  # noqa: TID251  same
    remember_a_free_port(tmp_path / "redis")
    killed, rows = start(tmp_path)
    with killed:
        say_hello(rows)
        eventually(lambda: report(rows, month)["coverage"]["requests"] == 1)
        before = report(rows, month)
        killed.kill()
    left_behind = servers_in(tmp_path)
    assert len(left_behind) == 1
    with serving(tmp_path) as again:
        assert again["ledger"] == rows["ledger"]
        running = servers_in(tmp_path)
        assert len(running) == 1
        assert running != left_behind
        assert report(again, month) == before
        say_hello(again)
        eventually(lambda: report(again, month)["coverage"]["requests"] == 2)
    assert servers_in(tmp_path) == []


def demo(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BIN / "tollgate", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, "TMPDIR": str(folder)},
    )


def test_a_demo_that_is_terminated_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "calls by the openai SDK" in process.stdout.readline()
        process.terminate()
        assert process.wait(20) == 143
        assert "Traceback" not in process.stderr.read()
    assert list(tmp_path.iterdir()) == []
    assert servers_in(tmp_path) == []


def test_a_demo_whose_reader_leaves_ends_quietly(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        complaints = process.stderr.read()
    assert "Traceback" not in complaints
    assert "Exception" not in complaints
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert servers_in(tmp_path) == []


def test_the_demo_bills_what_was_sent() -> None:
    done = subprocess.run(
        [BIN / "tollgate", "demo"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert re.fullmatch(
        r"(\d+) requests sent, \1 events counted, ([\d,]+) tokens sent = \2 tokens billed", last
    )
    assert "half way: weu-1 answers 429" in done.stdout

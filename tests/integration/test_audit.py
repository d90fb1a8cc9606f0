"""`accountant audit` and `rebuild` on a ledger and archive that `tollgate ingest` wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from builders import NOON, raw_event
from captures import write_capture
from counts import emptied
from redis import Redis

from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers"]
pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)
REASONED = Tokens(input=10, output=50, reasoning_output=50)


def _events() -> list[bytes]:
    events = [raw_event(f"r{n}", NOON + n % 4 * HOUR, user=f"u{n % 3}") for n in range(40)]
    events += [
        raw_event("only-reasoned", NOON, tokens=REASONED),
        raw_event("r1", NOON + HOUR, user="u1"),
    ]
    pending: dict[str, Any] = {"provenance": "pending", "tokens": None}
    known: dict[str, Any] = {"provenance": "backfilled", "completes": True, "backend": "swc-1"}
    events += [raw_event("p", NOON, **pending), raw_event("p", NOON + 5 * HOUR, **known)]
    return events


EVENTS = _events()


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Answer]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def run(redis_server: str, archive: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on an emptied ledger, into which the events were ingested."""
    monkeypatch.setenv("TOLLGATE_REDIS_URL", emptied(f"{redis_server}/13"))
    monkeypatch.setenv("TOLLGATE_ARCHIVE", str(archive))

    def run_command(command: str, *arguments: object, stdin: bytes = b"") -> Answer:
        program = [Path(sys.executable).with_name(command), *map(str, arguments)]
        done = subprocess.run(program, input=stdin, capture_output=True, timeout=60, check=False)
        assert b"Traceback" not in done.stderr, done.stderr
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    assert run_command("tollgate", "ingest", "-", stdin=b"\n".join(EVENTS)).code == 0
    return run_command


@pytest.fixture
def redis(redis_server: str) -> Any:
    with Redis.from_url(f"{redis_server}/13") as client:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        yield client


def test_untouched_books_are_clean(run: Run, archive: Path) -> None:
    assert run("tollgate", "seal").out == "5 entries added to the manifest, of 44 events\n"
    answer = run("accountant", "audit", "2026-10", "--archive", archive)
    assert answer.code == 0
    assert answer.out.startswith(
        "2026-10, hours before 2026-11-01T00: 44 events (1 repeated), 0 differences,"
        " 0 contradictions, 0 breaks\nmanifest: "
    )


def test_a_changed_counter_is_named(run: Run, archive: Path, redis: Any) -> None:
    key = "tollgate:{contoso}:money:2026-10-15T12"
    [(field, text)] = [row for row in redis.hgetall(key).items() if row[1].startswith(b"[11,")]
    redis.hset(key, field, text.replace(b'"cached_input":[', b'"cached_input":[9'))
    answer = run("accountant", "audit", "2026-10", "--archive", archive)
    assert answer.code == 1
    assert (
        "differs: contoso 2026-10-15T12 CC-1001 gpt-4o-mini/2024-07-18/weu-1/measured"
        " cached_input: archive says 6,400 in 10, ledger says 96,400 in 10\n"
    ) in answer.out


def test_json_says_the_same(run: Run, archive: Path, redis: Any) -> None:
    redis.delete("tollgate:{contoso}:users:2026-10-15")
    answer = run("accountant", "audit", "2026-10", "--archive", archive, "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["events"], found["duplicates"]) == (1, 44, 1)
    assert {each["cell"] for each in found["differences"]} == {"user"}
    assert {each["user"] for each in found["differences"]} == {"u0", "u1", "u2", "alice"}


def test_what_the_ledger_cannot_see_is_a_contradiction(run: Run, archive: Path) -> None:
    others = [
        raw_event("r1", NOON + 48 * HOUR),
        raw_event("r2", NOON + 2 * HOUR, tenant="fabrikam"),
    ]
    others += [raw_event("r3", NOON + 3 * HOUR, user="mallory")]
    run("tollgate", "ingest", "-", stdin=b"\n".join(others))
    answer = run("accountant", "audit", "2026-10", "--archive", archive)
    assert answer.code == 1
    assert "id r1 of gw-weu, contoso, 2026-10-17T12: counted too" in answer.out
    assert "id r2 of gw-weu, fabrikam, 2026-10-15T14: counted too" in answer.out
    assert "id r3 of gw-weu, contoso, 2026-10-15T15: kept aside" in answer.out
    assert "0 differences, 3 contradictions" in answer.out


def test_tampering_with_the_archive_is_named(run: Run, archive: Path) -> None:
    run("tollgate", "seal")
    file = archive / "2026/10/15/12.jsonl"
    file.write_bytes(b"{}\n" + file.read_bytes())
    answer = run("accountant", "audit", "2026-10", "--archive", archive)
    assert answer.code == 1
    assert "broken: 2026/10/15/12.jsonl: was changed between bytes" in answer.out
    assert "12.jsonl, line 1: " in answer.out


def test_capture_is_audited_and_what_is_missing_of_it_is_named(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "capture"
    write_capture(folder, EVENTS[:20])
    gone = write_capture(folder, EVENTS[20:30], 600, first=20)
    write_capture(folder, EVENTS[30:], 9_000, first=30)
    assert run("accountant", "audit", "2026-10", "--archive", folder).code == 0
    gone.unlink()
    answer = run("accountant", "audit", "2026-10", "--archive", folder)
    assert answer.code == 1
    assert "events 20 to 29 are missing" in answer.out
    assert "differs: contoso" in answer.out


def test_a_line_leads_to_its_requests(run: Run, archive: Path) -> None:
    line = ("--tenant", "contoso", "--billing-code", "CC-1001", "--model", "gpt-4o-mini", "--ids")
    command = ("accountant", "audit", "2026-10", "--archive", archive, *line)
    answer = run(*command, "--meter", "output", "--provenance", "measured")
    assert answer.code == 0
    assert answer.out.splitlines()[-1] == f"41 requests, {40 * 120 + 50:,} output"
    assert "2026-10-15T12:00:00.000Z\tonly-reasoned\tgw-weu\tweu-1\t50" in answer.out
    completed = json.loads(run(*command, "--provenance", "backfilled", "--json").out)
    [request] = completed["requests"]
    assert (request["id"], request["time"]) == ("p", "2026-10-15T12:00:00.000Z")
    assert request["backend"] == "swc-1"
    assert run(*command, "--meter", "input", "--when", "2026-10-15T13").out.splitlines()[-1] == (
        f"10 requests, {10 * 360:,} input"
    )
    assert run(*command, "--when", "2026-10-16").code == 1


def test_what_cannot_be_is_said(run: Run, archive: Path, tmp_path: Path) -> None:
    audit = ("accountant", "audit", "2026-10", "--archive")
    assert "is no folder" in run(*audit, tmp_path / "none").err
    assert "Give --tenant too" in run(*audit, archive, "--ids").err
    assert "give --ids too" in run(*audit, archive, "--meter", "input").err
    assert run(*audit, archive, "--scratch", tmp_path / "none").code == 2
    assert run(*audit, archive, "--redis-url", "http://x").code == 2
    assert run("accountant", "rebuild", "--archive", archive, "--redis-url", "http://x").code == 2


def test_a_rebuild_mends_what_an_audit_found(run: Run, archive: Path, redis: Any) -> None:
    redis.hset("tollgate:{contoso}:money:2026-10-15T12", '["made up",0]', '[1,{"input":[9,1]}]')
    dry = run("accountant", "rebuild", "--archive", archive, "--dry-run")
    assert dry.code == 1
    assert "would change: contoso 2026-10-15T12 made up" in dry.out
    assert redis.exists("tollgate:generation") == 0
    answer = run("accountant", "rebuild", "--archive", archive)
    assert answer.out == (
        "generation 1: 44 events, 1 of them repeated, 0 in conflict, kept aside, 0 refused;"
        " 0 came meanwhile\n"
    )
    assert run("accountant", "rebuild", "--archive", archive, "--dry-run").out == (
        "nothing would change\n"
    )
    # October lies further back than ids are remembered
    assert "44 too late, kept aside" in run("tollgate", "ingest", "-", stdin=b"\n".join(EVENTS)).out
    assert run("accountant", "audit", "2026-10", "--archive", archive).code == 0


def test_a_file_of_capture_that_is_broken_is_named(run: Run, archive: Path) -> None:
    file = write_capture(archive, [raw_event("x")])
    file.write_bytes(file.read_bytes()[:-1])
    answer = run("accountant", "rebuild", "--archive", archive)
    assert answer.code == 2
    assert "00.avro: block 1" in answer.err
    assert "00.avro: block 1" in run("accountant", "audit", "2026-10", "--archive", archive).out


@pytest.mark.parametrize("query", ["", "?cluster=true"])
def test_a_ledger_that_is_away_is_told(run: Run, archive: Path, query: str) -> None:
    ledger = ("--archive", archive, "--redis-url", f"redis://127.0.0.1:1{query}")
    for command in (["audit", "2026-10"], ["rebuild"]):
        answer = run("accountant", *command, *ledger)
        assert answer.code == 2
        assert "Redis: " in answer.err


def test_sealing_asks_which_archive(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOLLGATE_ARCHIVE")
    answer = run("tollgate", "seal")
    assert answer.code == 2
    assert "which archive?" in answer.err


def test_help_loads_nothing_that_only_a_command_needs() -> None:
    heavy = "{'duckdb', 'fastavro', 'redis', 'pandas', 'azure'}"
    code = f"import accountant.cli, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"[]\n"

"""The same events, however they come, give the same report, byte for byte."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import raw_event
from captures import capture_bytes
from counts import emptied

from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers"]
pytestmark = pytest.mark.integration

MONTH = "2026-10"
START = datetime(2026, 10, 1, tzinfo=UTC)
TENANTS = {"contoso": ["CC-1001", "CC-1002", None], "fabrikam": ["FB-7"], "northwind": [None]}
MODELS = {"gpt-4o-mini": "2024-07-18", "gpt-4o": "2024-11-20", "made-up": "1"}
BAD = b'{"specversion": "1.0", "type": "tollgate.usage.v1", "id": "bad"}'
TIMEOUT_S = 60


def _event(chance: random.Random, number: int) -> bytes:
    tenant = chance.choice([*TENANTS])
    model = chance.choice([*MODELS])
    whole, output = chance.randrange(1, 100_000), chance.randrange(0, 5000)
    tokens = Tokens(input=whole, cached_input=chance.randrange(whole), output=output)
    return raw_event(
        f"req-{number}",
        START + timedelta(seconds=chance.randrange(31 * 86_400)),
        tenant=tenant,
        billing_code=chance.choice(TENANTS[tenant]),
        user=chance.choice(["alice", "bob", None]),
        model=model,
        model_version=MODELS[model],
        region=chance.choice(["westeurope", "swedencentral"]),
        scope="global",
        tokens=tokens,
    )


def _completed(number: int) -> list[bytes]:
    """A pending event, and what completes it some hours later."""
    time = START + timedelta(days=number)
    pending: dict[str, Any] = {"provenance": "pending", "tokens": None, "scope": "global"}
    known: dict[str, Any] = {"provenance": "backfilled", "completes": True, "scope": "global"}
    completion = raw_event(f"late-{number}", time + timedelta(hours=5), **known)
    return [raw_event(f"late-{number}", time, **pending), completion]


def _events() -> list[bytes]:
    chance = random.Random(20261001)  # noqa: S311  the same events at each run
    events = [_event(chance, number) for number in range(300)]
    completed = [event for number in range(20) for event in _completed(number)]
    return [*events, *chance.sample(events, 60), BAD, *completed, BAD, b"rubbish"]


EVENTS = _events()


@pytest.fixture(autouse=True)
def ledger(redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty ledger, named in the environment, with an empty archive."""
    url = emptied(f"{redis_server}/14")
    monkeypatch.setenv("TOLLGATE_REDIS_URL", url)
    monkeypatch.setenv("TOLLGATE_ARCHIVE", str(tmp_path / "kept"))
    return url


@pytest.fixture(scope="module")
def expected(redis_server: str) -> dict[str, bytes]:
    """What the events in order, once and at once, come to."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TOLLGATE_REDIS_URL", emptied(f"{redis_server}/15"))
        environment.delenv("TOLLGATE_ARCHIVE", raising=False)
        ingest(EVENTS)
        return reports()


def run(command: str, *arguments: str, stdin: bytes = b"", code: int = 0) -> bytes:
    program = Path(sys.executable).with_name(command)
    done = subprocess.run(
        [program, *arguments], input=stdin, capture_output=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    return done.stdout


def ingest(events: list[bytes], batch_size: int = 500) -> bytes:
    stdin = b"\n".join(events)
    size = str(batch_size)
    return run("tollgate", "ingest", "-", "--batch-size", size, stdin=stdin, code=1)


def reports() -> dict[str, bytes]:
    by = ["--by", "tenant", "--by", "billing-code", "--by", "model", "--by", "user"]
    command = ["accountant", "report", MONTH, *by, "--format"]
    return {layout: run(*command, layout) for layout in ("json", "csv")}


def test_every_event_is_in_the_report_once(expected: dict[str, bytes]) -> None:
    report = json.loads(expected["json"])
    assert report["coverage"]["requests"] == 300 + 20
    assert report["coverage"]["backfilled"] == 20
    assert report["coverage"]["pending"] == 0
    assert {line["tenant"] for line in report["lines"]} == {*TENANTS}
    assert {line["model"] for line in report["unpriced"]} == {"made-up"}


def test_what_became_of_each_event_is_said() -> None:
    said = ingest(EVENTS).decode()
    assert said == (
        "320 counted; 20 completed; 60 known already; 3 refused, see: tollgate dead-letters list\n"
    )


@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_twice_shuffled_and_in_any_batches_is_the_same_report(
    expected: dict[str, bytes], batch_size: int
) -> None:
    for seed in range(2):
        shuffled = random.Random(seed).sample(EVENTS, len(EVENTS))  # noqa: S311  repeatable
        ingest(shuffled, batch_size)
    assert reports() == expected


def test_files_of_any_form_are_the_same_report(expected: dict[str, bytes], tmp_path: Path) -> None:
    lines, array = tmp_path / "lines.jsonl", tmp_path / "array.json"
    lines.write_bytes(b"\r\n".join(EVENTS[150:]))
    array.write_bytes(b"[" + b",\n".join(EVENTS[:200]) + b"]")
    run("tollgate", "ingest", str(lines), str(array), code=1)
    assert reports() == expected


def test_capture_files_are_the_same_report(expected: dict[str, bytes], tmp_path: Path) -> None:
    half = tmp_path / "half.avro"
    half.write_bytes(capture_bytes(EVENTS[:200]))
    run("tollgate", "ingest", str(half))
    run("tollgate", "ingest", "-", stdin=capture_bytes(EVENTS[150:]), code=1)
    assert reports() == expected


def test_what_stands_before_the_damage_of_a_capture_file_is_counted(tmp_path: Path) -> None:
    whole = capture_bytes(EVENTS[:50], block=4_000)
    broken = tmp_path / "broken.avro"
    broken.write_bytes(whole[:-9])
    program = Path(sys.executable).with_name("tollgate")
    done = subprocess.run([program, "ingest", broken], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"get the whole file again" in done.stderr
    said = run("tollgate", "ingest", "-", stdin=whole).decode()
    assert said == "5 counted; 45 known already\n"


def test_the_archive_holds_all_that_is_needed_to_count_again(
    ledger: str, expected: dict[str, bytes], tmp_path: Path
) -> None:
    ingest(EVENTS)
    kept = sorted((tmp_path / "kept").rglob("*.jsonl"))
    emptied(ledger)
    run("tollgate", "ingest", *map(str, kept))
    assert reports() == expected


def test_refused_events_are_kept_with_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(EVENTS)
    monkeypatch.setenv("COLUMNS", "250")
    listed = run("tollgate", "dead-letters", "list").decode()
    assert listed.count("standard input") == 2  # one came twice
    assert "missing required field" in listed
    assert "JSON is malformed" in listed

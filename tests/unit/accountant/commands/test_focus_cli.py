from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from accounting import apply_on_redis
from builders import event
from export_commands import run

pytest_plugins = ["servers", "export_commands"]

COSTS = """
[[shared]]
name = "redis"
amount_per_month = "10.00"
currency = "USD"
method = "even"
effective_from = 2026-01-01
source = "made up for this test"
"""


@pytest.fixture
def database() -> int:
    """Of its own, beside those of other tests."""
    return 5


def test_a_month_goes_to_stdout_as_1_0(ledger: str) -> None:
    result = run("focus", "2026-10", redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    header, *rows = result.stdout.splitlines()
    assert ",Provider," in header
    assert len(rows) == 4  # three meters, and the rounding


def test_files_are_named_after_the_version_and_the_month(ledger: str, tmp_path: Path) -> None:
    arguments = ("--version", "1.2", "--out", str(tmp_path / "new"))
    result = run("focus", "2026-10", *arguments, redis_url=ledger)
    assert (result.exit_code, result.stdout) == (0, "")
    names = ["focus-1.2-2026-10.csv", "unpriced-2026-10.csv"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    assert all(f"wrote {tmp_path / 'new' / name}\n" in result.stderr for name in names)
    assert len((tmp_path / "new" / names[1]).read_text().splitlines()) == 1


def test_usage_in_no_row_has_a_file_of_its_own_and_the_answer_is_no(
    ledger: str, tmp_path: Path
) -> None:
    more = [event("2", model="gpt-9"), event("3", provenance="pending", tokens=None)]
    apply_on_redis(ledger, more)
    result = run("focus", "2026-10", "--out", str(tmp_path), redis_url=ledger)
    assert result.exit_code == 1
    assert "3 unpriced and 1 uncounted lines of usage in no charge\n" in result.stderr
    assert len((tmp_path / "unpriced-2026-10.csv").read_text().splitlines()) == 5
    assert "gpt-9" not in (tmp_path / "focus-1.0-2026-10.csv").read_text()


def test_without_a_directory_it_is_said_that_usage_is_left_out(ledger: str) -> None:
    apply_on_redis(ledger, [event("3", provenance="pending", tokens=None)])
    result = run("focus", "2026-10", redis_url=ledger)
    assert result.exit_code == 1
    assert result.stderr == "accountant: 1 uncounted line of usage in no charge\n"


def test_a_month_without_usage_says_so_and_exits_1(ledger: str) -> None:
    result = run("focus", "2026-09", redis_url=ledger)
    assert (result.exit_code, result.stderr) == (1, "accountant: no usage in 2026-09\n")


def test_who_bills_whom_can_be_said(ledger: str) -> None:
    result = run("focus", "2026-10", "--account", "ba-7", "--issuer", "IT Ltd", redis_url=ledger)
    assert all(",ba-7,ba-7," in row for row in result.stdout.splitlines()[1:])
    assert result.stdout.count(",IT Ltd") == 4 * 4


def test_an_unreachable_ledger_leaves_older_files_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "focus-1.0-2026-10.csv").write_text("old")
    result = run("focus", "2026-10", "--out", str(tmp_path), redis_url="redis://127.0.0.1:1/0")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_file_that_cannot_be_written_is_one_line(ledger: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("focus", "2026-10", "--out", str(tmp_path / "file"), redis_url=ledger)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"accountant: cannot write {tmp_path / 'file'}")
    assert result.stderr.count("\n") == 1


def test_what_is_no_month_or_version_is_refused(ledger: str) -> None:
    assert run("focus", "October", redis_url=ledger).exit_code == 2
    assert run("focus", "2026-10", "--version", "0.5", redis_url=ledger).exit_code == 2


def test_what_was_written_can_be_told_as_json(ledger: str, tmp_path: Path) -> None:
    apply_on_redis(ledger, [event("2", provenance="pending", tokens=None)])
    arguments = ("--format", "json", "--out", str(tmp_path))
    result = run("focus", "2026-10", *arguments, redis_url=ledger)
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert len(told.pop("rate_card")) == 12
    assert told == {
        "period": "2026-10",
        "currency": "USD",
        "status": "draft",
        "files": [
            {"path": str(tmp_path / "focus-1.0-2026-10.csv"), "rows": 4},
            {"path": str(tmp_path / "unpriced-2026-10.csv"), "rows": 1},
        ],
        "total": "0.00",
        "unpriced": 0,
        "uncounted": 1,
    }


def test_json_needs_a_directory_to_tell_of(ledger: str) -> None:
    result = run("focus", "2026-10", "--format", "json", redis_url=ledger)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("give --out DIR\n")


def test_parts_of_costs_are_rows(ledger: str, tmp_path: Path) -> None:
    costs = tmp_path / "costs.toml"
    costs.write_text(COSTS)
    options = ("--version", "1.2", "--costs", str(costs))
    result = run("focus", "2026-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    parts = [
        row for row in csv.DictReader(result.stdout.splitlines()) if row["SkuId"] == "shared/redis"
    ]
    assert [(row["BilledCost"], row["x_AllocatedMethodId"]) for row in parts] == [("10.0", "even")]

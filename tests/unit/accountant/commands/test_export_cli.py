from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from accounting import apply_on_redis
from builders import event
from export_commands import run

pytest_plugins = ["servers", "export_commands"]


@pytest.fixture
def database() -> int:
    """Of its own, beside those of other tests."""
    return 3


def test_a_month_is_a_file_of_parquet(ledger: str, tmp_path: Path) -> None:
    result = run(
        "export", "2026-10", "--format", "parquet", "--out", str(tmp_path), redis_url=ledger
    )
    path = tmp_path / "charges-2026-10.parquet"
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"accountant: wrote {path}\n"
    with duckdb.connect(config={"threads": 1}) as database:
        found = database.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchall()
    assert found == [(4,)]  # three meters, and the rounding


def test_usage_without_a_rate_is_said_and_the_answer_is_no(ledger: str, tmp_path: Path) -> None:
    apply_on_redis(ledger, [event("2", model="gpt-9")])
    result = run("export", "2026-10", "--out", str(tmp_path), redis_url=ledger)
    assert result.exit_code == 1
    assert result.stderr.endswith("3 unpriced lines of usage in no charge\n")


def test_a_file_that_cannot_be_written_is_one_line(ledger: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("export", "2026-10", "--out", str(tmp_path / "file"), redis_url=ledger)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"accountant: cannot write {tmp_path / 'file'}")
    assert result.stderr.count("\n") == 1


def test_where_to_write_must_be_said() -> None:
    assert run("export", "2026-10").exit_code == 2


def test_both_tables_come_of_one_reading_and_are_told_as_json(ledger: str, tmp_path: Path) -> None:
    formats = [option for name in ("csv", "parquet", "json") for option in ("--format", name)]
    result = run("export", "2026-10", *formats, "--out", str(tmp_path), redis_url=ledger)
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    paths = [tmp_path / f"charges-2026-10.{suffix}" for suffix in ("parquet", "csv")]
    assert told["files"] == [{"path": str(path), "rows": 4} for path in paths]
    assert (told["total"], told["unpriced"], told["uncounted"]) == ("0.00", 0, 0)
    assert all(path.exists() for path in paths)


def test_a_table_can_be_csv_alone(ledger: str, tmp_path: Path) -> None:
    options = ("--format", "csv", "--out", str(tmp_path))
    assert run("export", "2026-10", *options, redis_url=ledger).exit_code == 0
    (path,) = tmp_path.iterdir()
    assert path.name == "charges-2026-10.csv"
    assert len(path.read_text().splitlines()) == 5

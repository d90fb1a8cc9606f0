from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from typer.testing import CliRunner, Result

from accountant.cli import app

pytest_plugins = ["servers"]

DATABASE = 3  # of its own, beside those of other tests


def run(*arguments: str, redis_url: str = "") -> Result:
    return CliRunner().invoke(app, ["export", *arguments], env={"TOLLGATE_REDIS_URL": redis_url})


@pytest.fixture
def ledger(redis_server: str) -> str:
    """The URL of a ledger with an event that has a price."""
    url = empty_redis(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, [event("1", scope="global")])
    return url


def test_a_month_is_a_file_of_parquet(ledger: str, tmp_path: Path) -> None:
    result = run("2026-10", "--format", "parquet", "--out", str(tmp_path), redis_url=ledger)
    path = tmp_path / "charges-2026-10.parquet"
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"accountant: wrote {path}\n"
    with duckdb.connect(config={"threads": 1}) as database:
        found = database.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchall()
    assert found == [(4,)]  # three meters, and the rounding


def test_usage_without_a_rate_is_said_and_the_answer_is_no(ledger: str, tmp_path: Path) -> None:
    apply_on_redis(ledger, [event("2", model="gpt-9")])
    result = run("2026-10", "--out", str(tmp_path), redis_url=ledger)
    assert result.exit_code == 1
    assert result.stderr.endswith("3 unpriced lines of usage in no charge\n")


def test_a_file_that_cannot_be_written_is_one_line(ledger: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("2026-10", "--out", str(tmp_path / "file"), redis_url=ledger)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"accountant: cannot write {tmp_path / 'file'}")
    assert result.stderr.count("\n") == 1


def test_where_to_write_must_be_said() -> None:
    assert run("2026-10").exit_code == 2

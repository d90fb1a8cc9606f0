from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import apply_on_redis
from builders import event
from planned_ledgers import card_in, costs_in, daily, planned_ledger, run

pytest_plugins = ["servers"]

DATABASE = 10  # of its own, beside those of other tests


@pytest.fixture
def ledger(redis_server: str) -> str:
    return planned_ledger(f"{redis_server}/{DATABASE}")


def test_two_months_are_compared_by_the_default_groups(ledger: str, tmp_path: Path) -> None:
    result = run("compare", "2026-08", "2026-09", "--rates", card_in(tmp_path), redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(
        "2026-09 against 2026-08 (UTC), in USD: whole months of 31 days and 30 days\n"
    )
    assert "contoso / CC-1001 / gpt-4o-mini    31.00    30.00   -1.00  -3.2%" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_the_same_number_of_days_does_not_differ(ledger: str, tmp_path: Path) -> None:
    options = ("--same-days", "--by", "tenant", "--format", "json", "--rates", card_in(tmp_path))
    found = json.loads(run("compare", "2026-08", "2026-09", *options, redis_url=ledger).stdout)
    assert (found["days"], found["by"]) == (30, ["tenant"])
    assert found["lines"][0]["change"] == "0"


def test_a_running_month_is_compared_by_the_days_that_are_over(ledger: str, tmp_path: Path) -> None:
    when = ("--same-days", "--as-of", "2026-10-11T08:00Z", "--format", "json")
    result = run(
        "compare", "2026-09", "2026-10", *when, "--rates", card_in(tmp_path), redis_url=ledger
    )
    found = json.loads(result.stdout)
    assert (found["days"], found["lines"][0]["after"]) == (10, "10.000002")


def test_files_are_written_whole_and_csv_has_one_for_each_sheet(
    ledger: str, tmp_path: Path
) -> None:
    options = ("--rates", card_in(tmp_path), "--out", str(tmp_path / "out"))
    for layout in ("csv", "json", "table"):
        result = run(
            "compare", "2026-08", "2026-09", "--format", layout, *options, redis_url=ledger
        )
        assert (result.exit_code, result.stdout) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "compare-2026-08-2026-09.csv",
        "compare-2026-08-2026-09.json",
        "compare-2026-08-2026-09.txt",
        "compare-2026-08-2026-09.volumes.csv",
    ]


def test_months_without_data_say_so(ledger: str, tmp_path: Path) -> None:
    result = run("compare", "2026-01", "2026-02", "--rates", card_in(tmp_path), redis_url=ledger)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "accountant: no usage in 2026-01 or 2026-02\n"


def test_usage_in_no_figure_is_said(ledger: str, tmp_path: Path) -> None:
    apply_on_redis(
        ledger, [event("x", model="gpt-9"), event("y", tokens=None, provenance="unknown")]
    )
    result = run("compare", "2026-09", "2026-10", "--rates", card_in(tmp_path), redis_url=ledger)
    assert result.exit_code == 0
    assert "(contoso 1 uncounted and\n3 unpriced)" in result.stdout


def test_what_the_ledger_kept_aside_is_said_once(ledger: str, tmp_path: Path) -> None:
    apply_on_redis(ledger, daily(datetime(2026, 8, 1, 9, tzinfo=UTC), 1, user="bob"))
    result = run("compare", "2026-08", "2026-09", "--rates", card_in(tmp_path), redis_url=ledger)
    assert result.stderr == (
        "accountant: contoso: 1 conflicting event is kept aside and not in these figures\n"
    )


def test_every_mistake_is_told_at_once() -> None:
    result = run("compare", "2026-13", "october", "--by", "mood,tenant", "--as-of", "now")
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("accountant: '2026-13' is not a month")
    assert lines[2] == "accountant: --by: 'mood' is not one of tenant, billing-code, model"
    assert lines[3].startswith("accountant: --as-of: 'now' is not a time")


def test_a_month_is_not_compared_with_itself() -> None:
    result = run("compare", "2026-10", "2026-10")
    assert result.exit_code == 2
    assert result.stderr == "accountant: 2026-10 is compared with itself; name two months\n"


def test_the_same_days_need_one_that_is_over() -> None:
    options = ("--same-days", "--as-of", "2026-10-01T12:00Z")
    result = run("compare", "2026-09", "2026-10", *options)
    assert result.exit_code == 2
    assert result.stderr == (
        "accountant: --same-days: no day of 2026-10 is over as of 2026-10-01T12:00:00Z\n"
    )


def test_a_ledger_that_does_not_answer_is_one_line() -> None:
    result = run("compare", "2026-09", "2026-10", redis_url="redis://127.0.0.1:1/0")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_fixed_costs_are_another_effect(ledger: str, tmp_path: Path) -> None:
    books = ("--costs", costs_in(tmp_path), "--rates", card_in(tmp_path), "--format", "json")
    result = run("compare", "2026-09", "2026-10", "--by", "tenant", *books, redis_url=ledger)
    lines = {each["tenant"]: each for each in json.loads(result.stdout)["lines"]}
    assert lines["contoso"]["other"] == "31"
    assert lines["unallocated"]["change"] == lines["unallocated"]["other"] == "24"

from __future__ import annotations

import json
from pathlib import Path

import pytest
from planned_ledgers import card_in, costs_in, planned_ledger, run

pytest_plugins = ["servers"]

DATABASE = 15  # of its own, beside those of other tests


@pytest.fixture
def ledger(redis_server: str) -> str:
    return planned_ledger(f"{redis_server}/{DATABASE}")


def test_days_that_are_all_alike_are_forecast_to_go_on(ledger: str, tmp_path: Path) -> None:
    options = ("--as-of", "2026-10-16T08:00Z", "--format", "json", "--rates", card_in(tmp_path))
    result = run("forecast", "2026-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["as_of"], found["whole_days"]) == ("2026-10-16T08:00:00Z", 15)
    tenant = found["tenants"][0]
    assert (tenant["usage"], tenant["today"]) == ("15.000003", "1.0000002")
    assert (tenant["forecast"], tenant["low"], tenant["high"]) == ("31.0000032",) * 3
    assert (tenant["method"], tenant["trained_from"]) == ("weekdays", "2026-08-01")


def test_history_and_level_are_the_users(ledger: str, tmp_path: Path) -> None:
    options = ("--as-of", "2026-10-16", "--history", "0", "--level", "95", "--format", "json")
    result = run("forecast", "2026-10", *options, "--rates", card_in(tmp_path), redis_url=ledger)
    found = json.loads(result.stdout)
    assert found["level_percent"] == 95
    assert found["tenants"][0]["method"] == "run rate"


def test_a_table_fits_and_says_as_of_when(ledger: str, tmp_path: Path) -> None:
    options = ("--as-of", "2026-10-16", "--rates", card_in(tmp_path))
    result = run("forecast", "2026-10", *options, redis_url=ledger)
    assert "As of 2026-10-16T00:00:00Z: 15 of 31 days are over." in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_without_a_time_it_is_now(ledger: str, tmp_path: Path) -> None:
    result = run("forecast", "2026-08", "--rates", card_in(tmp_path), redis_url=ledger)
    assert result.exit_code == 0
    assert "31 of 31 days are over" in result.stdout


def test_months_without_data_say_so(ledger: str, tmp_path: Path) -> None:
    options = ("--as-of", "2025-10-16", "--history", "1", "--rates", card_in(tmp_path))
    result = run("forecast", "2025-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "accountant: no usage in 2025-09 or 2025-10\n"


@pytest.mark.parametrize(
    "option",
    [("--level", "100"), ("--history", "-1"), ("--as-of", "soon"), ("--format", "pdf")],
)
def test_bad_usage_exits_2(option: tuple[str, str]) -> None:
    assert run("forecast", "2026-10", *option).exit_code == 2


def test_fixed_costs_are_added_as_they_are(ledger: str, tmp_path: Path) -> None:
    options = ("--as-of", "2026-10-16", "--format", "json", "--costs", costs_in(tmp_path))
    result = run("forecast", "2026-10", *options, "--rates", card_in(tmp_path), redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    tenants = {each["tenant"]: each for each in json.loads(result.stdout)["tenants"]}
    assert (tenants["contoso"]["one_offs"], tenants["contoso"]["forecast"]) == ("31", "62.000003")
    assert tenants["unallocated"]["one_offs"] == "24"  # throughput that nobody used


def test_the_books_can_be_in_another_currency(ledger: str, tmp_path: Path) -> None:
    books = ("--costs", costs_in(tmp_path), "--currency", "EUR", "--rates", card_in(tmp_path))
    options = ("--as-of", "2026-10-16", "--format", "json")
    found = json.loads(run("forecast", "2026-10", *options, *books, redis_url=ledger).stdout)
    assert found["currency"] == "EUR"
    assert found["tenants"][0]["forecast"] == "31.0000015"

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from export_commands import run

from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers"]

TEAMS = """
[[cost_centre]]
tenant = "contoso"
cost_centre = "platform"
effective_from = 2026-01-01
source = "made up for this test"
"""
DATABASE = 4  # of its own, beside those of other tests


@pytest.fixture
def ledger(redis_server: str) -> str:
    """The URL of a ledger with usage for some money under a code and under none."""
    url = empty_redis(f"{redis_server}/{DATABASE}")
    much: dict[str, Any] = {"scope": "global", "tokens": Tokens(input=1_000_000, output=100_000)}
    apply_on_redis(url, [event("1", **much), event("2", billing_code=None, **much)])
    return url


def test_a_month_is_posted_against_clearing(ledger: str) -> None:
    result = run("journal", "2026-10", redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row["account"] for row in rows] == ["EXPENSE", "EXPENSE", "CLEARING"]
    assert [row["cost_centre"] for row in rows] == ["CC-1001", "UNALLOCATED", ""]
    debit, credit = (sum(Decimal(row[side] or 0) for row in rows) for side in ("debit", "credit"))
    assert debit == credit == Decimal("0.42")


def test_columns_accounts_and_the_file_are_the_users(ledger: str, tmp_path: Path) -> None:
    template, accounts, out = (tmp_path / name for name in ("t.csv", "a.toml", "new/j.csv"))
    template.write_text("Konto;Betrag\n{account};{amount}\n")
    accounts.write_text('expense = "6400"\nclearing = "2990"\n')
    options = ("--template", str(template), "--accounts", str(accounts), "--out", str(out))
    result = run("journal", "2026-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"accountant: wrote {out}\n"
    assert out.read_text() == "Konto;Betrag\n6400;0.21\n6400;0.21\n2990;-0.42\n"


def test_every_problem_of_both_files_is_told(tmp_path: Path) -> None:
    options = ("--template", str(tmp_path / "t.csv"), "--accounts", str(tmp_path / "a.toml"))
    result = run("journal", "2026-10", *options)
    assert result.exit_code == 2
    assert [line.rpartition("/")[2] for line in result.stderr.splitlines()] == [
        "t.csv: cannot be read: No such file or directory",
        "a.toml: cannot be read: No such file or directory",
    ]


def test_usage_without_a_rate_is_said_and_the_answer_is_no(ledger: str) -> None:
    apply_on_redis(ledger, [event("3", model="gpt-9")])
    result = run("journal", "2026-10", redis_url=ledger)
    assert result.exit_code == 1
    assert result.stderr.endswith("3 unpriced lines of usage in no charge\n")
    assert result.stdout.count("\n") == 4


def test_a_month_without_usage_says_so_and_exits_1(ledger: str) -> None:
    result = run("journal", "2026-09", redis_url=ledger)
    assert (result.exit_code, result.stderr) == (1, "accountant: no usage in 2026-09\n")


def test_a_journal_can_be_json(ledger: str) -> None:
    result = run("journal", "2026-10", "--format", "json", redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    (batch,) = json.loads(result.stdout)["batches"]
    assert (batch["debit"], batch["credit"], len(batch["postings"])) == ("0.42", "0.42", 3)


def test_a_template_says_nothing_of_json(ledger: str, tmp_path: Path) -> None:
    options = ("--format", "json", "--template", str(tmp_path / "t.csv"))
    result = run("journal", "2026-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--template says the columns of CSV" in result.stderr


def test_a_code_is_posted_to_the_cost_centre_of_its_day(ledger: str, tmp_path: Path) -> None:
    centres, costs = tmp_path / "c.csv", tmp_path / "costs.toml"
    centres.write_text(
        "tenant,billing_code,cost_centre,effective_from,effective_to\n"
        "contoso,CC-1001,old,,2026-10-15\n"
        "contoso,CC-1001,new,2026-10-15,\n"
    )
    costs.write_text(TEAMS)
    options = ("--accounts", str(centres), "--costs", str(costs))
    result = run("journal", "2026-10", *options, redis_url=ledger)
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row["cost_centre"] for row in rows] == ["new", "platform", ""]

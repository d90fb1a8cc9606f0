from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from typer.testing import CliRunner, Result

from accountant.cli import app
from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers"]

DATABASE = 11  # of its own, beside those of other tests
COSTS = """[[shared]]
name = "gateway"
amount_per_month = "31.00"
currency = "EUR"
method = "proportional"
effective_from = 2026-10-01
source = "contract"

[[fx]]
from = "USD"
to = "EUR"
rate = "0.5"
effective_from = 2026-10-01
source = "ECB"
"""


def run(*arguments: str, redis_url: str = "") -> Result:
    return CliRunner().invoke(app, arguments, env={"TOLLGATE_REDIS_URL": redis_url})


@pytest.fixture
def ledger(redis_server: str) -> str:
    """The URL of a ledger with a million tokens in."""
    url = empty_redis(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, [event(scope="global", tokens=Tokens(input=1_000_000, output=0))])
    return url


@pytest.fixture
def costs(tmp_path: Path) -> Path:
    path = tmp_path / "costs.toml"
    path.write_text(COSTS)
    return path


def test_sound_files_are_counted(costs: Path) -> None:
    result = run("costs", "check", str(costs))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("accountant: no problem: 1 shared, 1 fx; version ")


def test_every_problem_is_a_line_and_the_exit_code_is_2(costs: Path) -> None:
    costs.write_text(COSTS.replace('"31.00"', "31.00").replace('"0.5"', '"0"'))
    result = run("costs", "check", str(costs))
    assert result.exit_code == 2
    assert [line.rpartition("costs.toml: ")[2] for line in result.stderr.splitlines()] == [
        (
            'shared 1 (line 3): amount_per_month: write the price as text, such as "0.15":'
            " digits and at most one point"
        ),
        "fx 1 (line 12): rate: an exchange rate is more than 0",
    ]


def test_costs_are_shown_as_tables_and_as_json(costs: Path) -> None:
    assert "gateway" in run("costs", "show", str(costs)).stdout
    found = json.loads(run("costs", "show", str(costs), "--format", "json").stdout)
    assert [each["name"] for each in found["shared"]] == ["gateway"]


def test_a_day_without_a_row_is_the_answer_no_and_no_day_is_bad_input(costs: Path) -> None:
    result = run("costs", "show", str(costs), "--at", "2020-01-01")
    assert (result.exit_code, result.stderr) == (1, "accountant: the files have no such row\n")
    result = run("costs", "show", str(costs), "--at", "yesterday")
    assert (result.exit_code, result.stderr) == (
        2,
        "accountant: --at: 'yesterday' is not a day; write it as 2026-10-01\n",
    )


@pytest.mark.parametrize("command", ["report", "focus", "journal", "export"])
def test_every_document_reads_the_costs(
    command: str, ledger: str, costs: Path, tmp_path: Path
) -> None:
    options = ("--costs", str(costs), "--currency", "EUR", "--out", str(tmp_path / "out"))
    result = run(command, "2026-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_report_has_what_is_owed_beside_usage(ledger: str, costs: Path) -> None:
    options = ("--costs", str(costs), "--currency", "EUR", "--format", "json")
    result = run("report", "2026-10", *options, redis_url=ledger)
    found = json.loads(result.stdout)
    assert (found["currency"], found["total"]) == ("EUR", "31.08")
    assert [(each["description"], each["amount"]) for each in found["entries"]] == [
        ("gateway, by usage cost", "31")
    ]


def test_a_missing_rate_is_told_with_its_day(ledger: str) -> None:
    result = run("report", "2026-10", "--currency", "GBP", redis_url=ledger)
    assert result.exit_code == 2
    assert result.stderr == (
        "accountant: no exchange rate from USD to GBP on 2026-10-15; add [[fx]] rows with"
        ' from = "USD" and to = "GBP"\n'
    )


def test_a_currency_that_is_none_is_bad_input(ledger: str) -> None:
    result = run("report", "2026-10", "--currency", "Euro", redis_url=ledger)
    assert result.exit_code == 2
    assert result.stderr.startswith("accountant: --currency: 'Euro' is no currency of ISO 4217")


def test_without_costs_nothing_of_them_is_imported() -> None:
    code = (
        "import sys; from accountant.commands.charge_reader import Asked, open_month\n"
        "from accountant.commands.sources import open_card, open_costs\n"
        "from accountant.usage_charges import month_charges\n"
        "open_card(None), open_costs(None, None)\n"
        "print([name for name in sys.modules if name.startswith('accountant.costs')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"

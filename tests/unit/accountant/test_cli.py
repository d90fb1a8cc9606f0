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

pytest_plugins = ["servers"]

UNREACHABLE = "redis://:geheim@127.0.0.1:1/0"
DATABASE = 7  # of its own, beside those of other tests


def run(*arguments: str, redis_url: str = "") -> Result:
    return CliRunner().invoke(app, arguments, env={"TOLLGATE_REDIS_URL": redis_url})


@pytest.fixture
def ledger(redis_server: str) -> str:
    """The URL of a ledger with one event of contoso and one of a tenant named like a path."""
    url = empty_redis(f"{redis_server}/{DATABASE}")
    other = event("2", scope="global", tenant="a/../b", user="bob", region="eastus")
    apply_on_redis(url, [event("1", scope="global"), other])
    return url


@pytest.mark.parametrize("month", ["2026-13", "2026", "October"])
def test_what_is_no_month_is_refused_in_one_line(month: str) -> None:
    result = run("report", month)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"accountant: '{month}' is not a month; write it as YYYY-MM, for example 2026-10\n"
    )


def test_without_a_ledger_it_says_what_to_set() -> None:
    result = run("report", "2026-10")
    assert result.exit_code == 2
    assert result.stderr.startswith("accountant: which ledger? Set TOLLGATE_REDIS_URL, or give")


@pytest.mark.parametrize("url", [UNREACHABLE, "http://:geheim@127.0.0.1"])
def test_a_ledger_that_cannot_be_read_is_one_line_without_the_password(url: str) -> None:
    result = run("report", "2026-10", redis_url=url)
    assert result.exit_code == 2
    assert result.stderr.startswith("accountant: ")
    assert result.stderr.count("\n") == 1
    assert "geheim" not in result.output


def test_a_bad_rate_card_is_refused_with_all_its_problems(tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text('[[rate]]\nmodel = "m"\nprice = 0.1\n')
    result = run("report", "2026-10", "--rates", str(tmp_path), redis_url=UNREACHABLE)
    assert result.exit_code == 2
    assert "row 1 (line 3): price: write the price as text" in result.stderr
    assert "row 1 (line 1): meter: is missing" in result.stderr
    assert all(line.startswith("accountant: ") for line in result.stderr.splitlines())


def test_bad_usage_exits_2() -> None:
    assert run("report", "2026-10", "--by", "mood").exit_code == 2


def test_json_is_the_contracts_document(ledger: str) -> None:
    result = run("report", "2026-10", "--format", "json", redis_url=ledger)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["by"] == ["tenant", "billing_code", "model"]
    assert (len(found["lines"]), found["total"]) == (6, "0.00")
    assert found["lines"][4]["amount"] == "0.000048"


def test_groups_are_those_asked_for_in_that_order(ledger: str) -> None:
    arguments = ("--by", "user", "--by", "billing-code", "--by", "user", "--format", "json")
    found = json.loads(run("report", "2026-10", *arguments, redis_url=ledger).stdout)
    assert found["by"] == ["user", "billing_code"]
    assert [line["user"] for line in found["lines"]] == ["alice"] * 3 + ["bob"] * 3


def test_a_table_is_the_default(ledger: str) -> None:
    result = run("report", "2026-10", "--tenant", "contoso", redis_url=ledger)
    assert result.exit_code == 0
    assert result.stdout.startswith("Chargeback 2026-10 (UTC), draft, in USD\n\ncontoso\n")
    assert "a/../b" not in result.stdout


def test_the_url_can_be_an_option(ledger: str) -> None:
    result = run("report", "2026-10", "--redis-url", ledger, redis_url=UNREACHABLE)
    assert result.exit_code == 0


def test_a_file_is_named_after_the_month_and_the_tenant(ledger: str, tmp_path: Path) -> None:
    out = tmp_path / "statements"
    for tenant in ((), ("--tenant", "a/../b")):
        arguments = ("--format", "csv", "--out", str(out), *tenant)
        result = run("report", "2026-10", *arguments, redis_url=ledger)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr.startswith(f"accountant: wrote {out}")
    assert sorted(path.name for path in out.iterdir()) == [
        "report-2026-10.a%2F..%2Fb.csv",
        "report-2026-10.contoso.csv",
        "report-2026-10.csv",
    ]


def test_a_file_that_cannot_be_written_is_one_line(ledger: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("report", "2026-10", "--out", str(tmp_path / "file"), redis_url=ledger)
    assert result.exit_code == 2
    assert "cannot write" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_month_without_usage_is_an_empty_document_and_exit_1(ledger: str) -> None:
    result = run("report", "2026-09", "--format", "json", redis_url=ledger)
    assert (result.exit_code, result.stderr) == (1, "accountant: no usage in 2026-09\n")
    assert json.loads(result.stdout)["lines"] == []
    assert run("report", "2026-09", redis_url=ledger).stdout == ""


def test_an_unknown_tenant_is_told(ledger: str) -> None:
    result = run("report", "2026-10", "--tenant", "contso", redis_url=ledger)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "accountant: no tenant 'contso' in the ledger\n"


def test_help_does_not_wait_for_what_it_does_not_use() -> None:
    heavy = {"duckdb", "pandas", "pydantic", "redis"}
    told = f"import sys, accountant.cli; print({heavy} & {{*sys.modules}})"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "accountant", "report", "2026-13"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stderr.startswith("accountant: '2026-13' is not a month")


def test_groups_can_be_separated_by_commas(ledger: str) -> None:
    arguments = ("--by", "user, billing-code,user", "--format", "json")
    found = json.loads(run("report", "2026-10", *arguments, redis_url=ledger).stdout)
    assert found["by"] == ["user", "billing_code"]


@pytest.mark.parametrize("by", ["mood", "tenant,mood"])
def test_an_unknown_group_is_refused_with_those_there_are(by: str) -> None:
    result = run("report", "2026-10", "--by", by)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "accountant: --by: 'mood' is not one of tenant, billing-code, model, user, region\n"
    )


def test_events_kept_aside_are_told_beside_the_document(ledger: str) -> None:
    apply_on_redis(ledger, [event("1", user="bob"), event("2", tenant="a/../b", user="eve")])
    result = run("report", "2026-10", "--format", "json", "--tenant", "contoso", redis_url=ledger)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["coverage"]["requests"] == 1
    assert result.stderr == (
        "accountant: contoso: 1 conflicting event is kept aside and not in these figures\n"
    )


def test_a_tenant_of_any_length_has_a_file(ledger: str, tmp_path: Path) -> None:
    tenant = "予" * 255
    apply_on_redis(ledger, [event("9", tenant=tenant)])
    arguments = ("--tenant", tenant, "--out", str(tmp_path))
    assert run("report", "2026-10", *arguments, redis_url=ledger).exit_code == 0
    assert len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"]])
def test_help_imports_nothing_that_writes_documents(arguments: list[str]) -> None:
    program = (
        "import sys; from accountant.cli import app\n"
        f"try: app({arguments})\n"
        "except SystemExit: pass\n"
        "heavy = {'jinja2', 'xlsxwriter', 'reportlab', 'pandas'}\n"
        "print(*heavy & {*sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr.strip() == b""

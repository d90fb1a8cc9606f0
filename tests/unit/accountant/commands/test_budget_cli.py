from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from planned_ledgers import card_in, planned_ledger, run

pytest_plugins = ["servers"]

DATABASE = 13  # of its own, beside those of other tests
SAMPLE: dict[str, Any] = {
    "gateway": {"id": "gw"},
    "backends": [
        {
            "name": "weu",
            "url": "https://weu.example/openai",
            "region": "westeurope",
            "auth": "managed_identity",
            "deployments": {"mini": {"name": "mini", "model": "gpt-4o-mini"}},
        }
    ],
}


@pytest.fixture
def ledger(redis_server: str) -> str:
    return planned_ledger(f"{redis_server}/{DATABASE}")


def budgets_in(folder: Path, *rows: str) -> str:
    path = folder / "budgets.csv"
    path.write_text("\n".join(["tenant,amount,currency,alert_at", *rows, ""]))
    return str(path)


def settings_in(folder: Path, **budget: Any) -> str:
    path = folder / "tollgate.yaml"
    tenant = {"name": "contoso", **({"budget": budget} if budget else {})}
    path.write_text(yaml.safe_dump({**SAMPLE, "tenants": [tenant, {"name": "fabrikam"}]}))
    return str(path)


def test_a_budget_is_burnt_down(ledger: str, tmp_path: Path) -> None:
    given = ("--budgets", budgets_in(tmp_path, "contoso,25,USD,0.5 1"))
    when = ("--as-of", "2026-10-16", "--rates", card_in(tmp_path), "--format", "json")
    result = run("budget", "2026-10", *given, *when, redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    row = found["budgets"][0]
    assert (row["spent"], row["left"], row["used_percent"]) == ("15.000003", "9.999997", "60")
    assert (row["breach"], found["elapsed_percent"]) == ("2026-10-25", "48.4")
    assert [each["state"] for each in found["alerts"]] == ["reached", "foreseen"]


def test_budgets_are_those_of_the_settings(ledger: str, tmp_path: Path) -> None:
    config = settings_in(tmp_path, amount="40.00", currency="USD", alert_at=[0.9])
    when = ("--as-of", "2026-10-16", "--rates", card_in(tmp_path), "--format", "json")
    result = run("budget", "2026-10", *when, redis_url=ledger, TOLLGATE_CONFIG=config)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["budgets"][0]["budget"], found["budgets"][0]["breach"]) == ("40", None)
    assert [each["at_percent"] for each in found["alerts"]] == ["90"]


def test_settings_without_a_budget_say_so(tmp_path: Path) -> None:
    config = settings_in(tmp_path)
    result = run("budget", "2026-10", TOLLGATE_CONFIG=config)
    assert result.exit_code == 2
    assert result.stderr == (
        f"accountant: {config}: no tenant has a budget; write one, or give --budgets FILE\n"
    )


def test_without_settings_a_file_is_asked_for() -> None:
    result = run("budget", "2026-10", TOLLGATE_CONFIG="")
    assert result.exit_code == 2
    assert result.stderr == (
        "accountant: which budgets? Give --budgets FILE, or set TOLLGATE_CONFIG\n"
    )


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    given = budgets_in(tmp_path, "contoso,lots,USD,", ",5,USD,", "fabrikam,1,XXX,")
    result = run("budget", "2026-99", "--budgets", given)
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 4
    assert "row 1 (line 2): amount:" in lines[1]
    assert "row 2 (line 3): tenant: is missing" in lines[2]
    assert "row 3 (line 4): currency:" in lines[3]


def test_unlike_currencies_are_an_error_in_words(ledger: str, tmp_path: Path) -> None:
    given = ("--budgets", budgets_in(tmp_path, "contoso,25,EUR,"))
    result = run("budget", "2026-10", *given, "--rates", card_in(tmp_path), redis_url=ledger)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the budget of contoso is in EUR, but the rates are in USD" in result.stderr


def test_months_without_data_say_so(ledger: str, tmp_path: Path) -> None:
    given = ("--budgets", budgets_in(tmp_path, "contoso,25,USD,"), "--history", "0")
    result = run("budget", "2025-10", *given, "--rates", card_in(tmp_path), redis_url=ledger)
    assert (result.exit_code, result.stderr) == (1, "accountant: no usage in 2025-10\n")

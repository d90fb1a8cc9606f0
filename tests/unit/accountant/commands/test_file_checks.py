from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from accountant.cli import app

RATE = """[[rate]]
model = "gpt-4o-mini"
meter = "input"
price = "0.20"
per = 1000000
currency = "USD"
effective_from = 2026-01-01
source = "list"
checked_on = 2026-11-21
"""
COST = """[[shared]]
name = "gateway"
amount_per_month = "31.00"
currency = "USD"
method = "even"
effective_from = 2026-10-01
source = "contract"
"""
THEIRS = [{"id": "azure", "models": [{"id": "gpt-4o-mini", "prices": {"input_mtok": 0.15}}]}]


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    path = tmp_path / "rates.toml"
    path.write_text(RATE)
    return path


def told(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--format", "json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_sound_card_is_counted(rates: Path) -> None:
    counts = {"rates": 1, "drafts": 0, "rules": 0}
    assert told("rates", "check", rates) == (0, {"sound": True, "problems": [], **counts})


def test_every_problem_of_a_card_is_a_member(rates: Path) -> None:
    rates.write_text(RATE.replace("USD", "USX").replace("input", "tokens"))
    code, found = told("rates", "check", rates)
    assert (code, found["sound"]) == (2, False)
    assert ["(line 3)" in found["problems"][0], "(line 6)" in found["problems"][1]] == [True, True]


def test_sound_costs_are_counted_by_kind(tmp_path: Path) -> None:
    costs = tmp_path / "costs.toml"
    costs.write_text(COST)
    code, found = told("costs", "check", costs)
    assert (code, found["sound"], found["rows"]) == (0, True, {"shared": 1})
    assert len(found["version"]) == 12


def test_every_problem_of_costs_is_a_member(tmp_path: Path) -> None:
    costs = tmp_path / "costs.toml"
    costs.write_text(COST.replace('"even"', '"odd"').replace("31.00", "1,00"))
    code, found = told("costs", "check", costs)
    assert (code, found["sound"], len(found["problems"])) == (2, False, 2)


def test_drift_is_an_object_of_prices_here_and_there(rates: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.json").write_text(json.dumps(THEIRS))
    typed = ("rates", "drift", tmp_path / "theirs.json", "--checked-on", "2026-11-20")
    code, found = told(*typed, "--rates", rates)
    assert (code, found["as_of"], found["compared"]) == (1, "2026-11-20", 1)
    (one,) = found["differences"]
    assert (one["here"], one["there"]) == ("0.2 USD/1M", "0.15 USD/1M")
    assert (found["not_in_source"], found["left_out"]) == ([], {})

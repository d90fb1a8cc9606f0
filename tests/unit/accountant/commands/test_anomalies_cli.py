from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import apply_on_redis
from planned_ledgers import card_in, daily, planned_ledger, run

pytest_plugins = ["servers"]

DATABASE = 12  # of its own, beside those of other tests


@pytest.fixture
def ledger(redis_server: str) -> str:
    return planned_ledger(f"{redis_server}/{DATABASE}")


def test_none_is_0(ledger: str, tmp_path: Path) -> None:
    options = ("--as-of", "2026-10-21", "--rates", card_in(tmp_path))
    result = run("anomalies", "2026-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Anomalies of 2026-10 (UTC), in USD: 0 found" in result.stdout


def test_one_is_1_and_told_with_its_impact(ledger: str, tmp_path: Path) -> None:
    extra = [*daily(datetime(2026, 10, 14, 15, tzinfo=UTC), 1, user="bob", gateway="gw-2")]
    apply_on_redis(ledger, extra * 2)
    options = ("--as-of", "2026-10-22", "--rates", card_in(tmp_path), "--min-impact", "0.50")
    result = run("anomalies", "2026-10", *options, "--format", "json", redis_url=ledger)
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [(each["day"], each["kind"]) for each in found["anomalies"]] == [
        ("2026-10-14", "spike"),
        ("2026-10-21", "silence"),
    ]
    assert found["anomalies"][0]["impact"] == "1.0000004"
    assert found["least_impact"] == "0.5"


def test_months_without_data_say_so(ledger: str, tmp_path: Path) -> None:
    result = run("anomalies", "2025-10", "--rates", card_in(tmp_path), redis_url=ledger)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "accountant: no usage in 2025-08 or 2025-09 or 2025-10\n"


def test_every_mistake_is_told_at_once() -> None:
    result = run("anomalies", "2026-00", "--min-impact", "much")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[1] == (
        "accountant: --min-impact: 'much' is no amount; write digits, such as 12.50"
    )

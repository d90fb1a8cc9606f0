"""A ledger and files that agree, for tests of `accountant reconcile`.

Name it in `pytest_plugins`, with `servers`, to have its fixtures; it is imported as well
(PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from accounting import apply_on_redis, empty_redis
from reconciling import (
    csv_text,
    meter_row,
    metrics_json,
    october_events,
    write_rates,
)
from typer.testing import CliRunner, Result

from accountant.cli import app

DATABASE = 15  # of its own, beside those of other tests
# What the events cost, a thousand tokens each way.
PAID = [
    meter_row("input", 2_500_000, "0.15"),
    meter_row("cached_input", 500_000, "0.075"),
    meter_row("output", 100_000, "0.60"),
    meter_row("input", 1_000, "0.15", Date="2026-10-16"),
    meter_row("output", 10, "0.60", Date="2026-10-16"),
]
COUNTED = [
    ("ProcessedPromptTokens", "2026-10-15", 3_000_000),
    ("GeneratedTokens", "2026-10-15", 100_000),
    ("AzureOpenAIRequests", "2026-10-15", 2),
    ("ProcessedPromptTokens", "2026-10-16", 1_000),
    ("GeneratedTokens", "2026-10-16", 10),
    ("AzureOpenAIRequests", "2026-10-16", 1),
]


@pytest.fixture
def ledger(redis_server: str) -> str:
    """The URL of a ledger with two tenants' calls on two days."""
    url = empty_redis(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, october_events())
    return url


@pytest.fixture
def files(tmp_path: Path) -> Mapping[str, str]:
    """An invoice and saved metrics that agree, and a rate card."""
    (tmp_path / "invoice.csv").write_text(csv_text(PAID))
    (tmp_path / "metrics.json").write_text(metrics_json(*COUNTED))
    write_rates(tmp_path / "rates.toml")
    return {
        "--invoice": str(tmp_path / "invoice.csv"),
        "--metrics": str(tmp_path / "metrics.json"),
        "--rates": str(tmp_path / "rates.toml"),
    }


def run(url: str, *options: str, period: str = "2026-10") -> Result:
    arguments = ["reconcile", period, "--redis-url", url, *options]
    return CliRunner().invoke(app, arguments, env={"TOLLGATE_REDIS_URL": ""})


def given(files: Mapping[str, str], *names: str) -> list[str]:
    return [each for name in names for each in (name, files[name])]

"""The accountant works where nothing but its own extra is installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from accountant_alone import installed_alone
from accounting import apply_on_redis, empty_redis
from builders import event

pytest_plugins = ["servers"]
pytestmark = pytest.mark.integration

DATABASE = 12  # of its own, beside those of other tests


@pytest.fixture(scope="module")
def commands() -> Path:
    return installed_alone()


def output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_no_azure_package_is_installed(commands: Path) -> None:
    told = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    names = output(commands / "python", "-c", told).lower().split()
    assert {"redis", "hiredis", "tollgate"} <= {*names}
    assert [name for name in names if "azure" in name or name in {"aiohttp", "openai"}] == []


def test_it_shows_its_help(commands: Path) -> None:
    assert "what each team owes" in output(commands / "accountant", "--help")


def test_it_reports_a_month(commands: Path, redis_server: str) -> None:
    url = empty_redis(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, [event("1", scope="global")])
    typed = ("report", "2026-10", "--format", "json", "--redis-url", url)
    assert json.loads(output(commands / "accountant", *typed))["coverage"]["measured"] == 1

"""Runs the commands that export a month, on a ledger of their own.

Name it in `pytest_plugins`, with `servers`; a test file has a fixture `database`. It is
imported as well (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from typer.testing import CliRunner, Result

from accountant.cli import app


def run(*arguments: str, redis_url: str = "") -> Result:
    """Run `accountant` on a ledger."""
    return CliRunner().invoke(app, [*arguments], env={"TOLLGATE_REDIS_URL": redis_url})


@pytest.fixture
def ledger(redis_server: str, database: int) -> str:
    """The URL of a ledger with an event of October that has a price."""
    url = empty_redis(f"{redis_server}/{database}")
    apply_on_redis(url, [event("1", scope="global")])
    return url

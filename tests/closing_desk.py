"""An accountant's desk: a ledger on Redis, a rate card and a folder of books, for the commands.

Name it in `pytest_plugins` to have its fixture; it may be imported as well (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from closed_months import write_rates
from typer.testing import CliRunner, Result

from accountant.cli import app
from tollgate.usage.event import UsageEvent
from tollgate.usage.tokens import Tokens

UNREACHABLE = "redis://127.0.0.1:1/0"
DATABASE = 10  # of its own, beside those of other tests


def on(day: str, number: str, **changes: object) -> UsageEvent:
    """Usage for some money in a month that is long over."""
    time = datetime.fromisoformat(f"{day}T12:00:00+00:00").astimezone(UTC)
    return event(number, time, **{"tokens": Tokens(input=1_000_000, output=0), **changes})


class Desk:
    """An accountant's: a ledger, a rate card and a folder of books."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.books = folder / "books"
        self.rates = write_rates(folder / "rates.toml")

    def run(self, *arguments: str, url: str | None = None) -> Result:
        environment = {
            "TOLLGATE_REDIS_URL": self.url if url is None else url,
            "TOLLGATE_BOOKS": str(self.books),
            "TOLLGATE_JOURNAL": "",
        }
        return CliRunner().invoke(app, arguments, env=environment)

    def close(self, month: str, *more: str) -> Result:
        return self.run("close", month, "--by", "ada", "--rates", str(self.rates), *more)

    def read(self, command: str, month: str, *more: str, url: str | None = None) -> Result:
        return self.run(command, month, "--rates", str(self.rates), *more, url=url)


@pytest.fixture
def desk(redis_server: str, tmp_path: Path) -> Desk:
    url = empty_redis(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, [on("2024-10-15", "1"), on("2024-10-16", "2", tenant="fabrikam")])
    apply_on_redis(url, [on("2024-11-15", "3")])
    return Desk(url, tmp_path)

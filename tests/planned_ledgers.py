"""Fills ledgers with months of usage, for the tests of the commands that plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from accounting import apply_on_redis, empty_redis
from builders import event
from typer.testing import CliRunner, Result

from accountant.cli import app
from tollgate.usage.event import UsageEvent
from tollgate.usage.tokens import Tokens

_CARD = """\
model,meter,price,per,currency,effective_from,source,checked_on
gpt-4o-mini,input,0.15,1000000,{currency},2026-01-01,list,2026-01-01
gpt-4o-mini,cached_input,0.075,1000000,{currency},2026-01-01,list,2026-01-01
gpt-4o-mini,output,0.60,1000000,{currency},2026-01-01,list,2026-01-01
"""

_COSTS = """\
[[shared]]
name = "gateway"
amount_per_month = "31.00"
currency = "USD"
method = "even"
effective_from = 2026-10-01
source = "contract"

[[ptu]]
name = "mini-ptu"
deployment = "ptu"
ptus = 1
price_per_ptu_hour = "1.00"
currency = "USD"
input_tokens_per_minute_per_ptu = 100000
output_weight = "4"
effective_from = 2026-10-01
effective_to = 2026-10-02
source = "contract"

[[fx]]
from = "USD"
to = "EUR"
rate = "0.5"
effective_from = 2026-01-01
source = "made up"
"""


def daily(first: datetime, count: int, **changes: Any) -> Iterator[UsageEvent]:
    """A call of 1.00 USD on each of so many days."""
    much: dict[str, Any] = {"tokens": Tokens(input=4_000_000, output=666_667)}
    for step in range(count):
        day = first + timedelta(days=step)
        name = f"{changes.get('tenant', 'contoso')}-{day:%m%d}"
        yield event(name, day, **much | changes)


def planned_ledger(url: str) -> str:
    """A ledger in which contoso used the same every day from August to the 20th of October."""
    where = empty_redis(url)
    days = [*daily(datetime(2026, 8, 1, 9, tzinfo=UTC), 81)]
    apply_on_redis(where, days)
    return where


def card_in(folder: Path, currency: str = "USD") -> str:
    """The path of a rate card."""
    path = folder / f"card-{currency}.csv"
    path.write_text(_CARD.format(currency=currency))
    return str(path)


def run(*arguments: str, redis_url: str = "", **environment: str) -> Result:
    """Run the accountant."""
    return CliRunner().invoke(app, arguments, env={"TOLLGATE_REDIS_URL": redis_url, **environment})


def costs_in(folder: Path) -> str:
    """The path of fixed costs that begin with October."""
    path = folder / "costs.toml"
    path.write_text(_COSTS)
    return str(path)

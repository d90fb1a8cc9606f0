from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from accounting import OCTOBER
from spending import SEPTEMBER, as_of

from accountant.commands.charge_reader import ChargeReader
from accountant.commands.planning_reader import left_out_of, read_days
from accountant.planning.budget_files import read_budgets
from accountant.planning.budgets import budgets
from accountant.planning.budgets_document import budgets_document
from accountant.planning.comparison import MonthCosts, comparison
from accountant.planning.comparison_document import Months, comparison_document
from accountant.planning.economics import MonthUnits
from accountant.planning.economics_document import Economics, economics_document
from accountant.planning.forecast import Horizon, month_forecast
from accountant.planning.forecast_document import forecast_document
from accountant.planning.sheet_files import document_json, sheet_csv
from accountant.planning.sheet_table import document_table
from accountant.planning.sheets import Document
from accountant.rate_cards.rate_files import load_rate_card
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.usage.event import decode_event

FOLDER = Path(__file__).parent / "planning"
BY = ("tenant",)
CARD = load_rate_card(FOLDER / "rates.toml")
OVER, RUNNING = as_of("2026-11-01"), as_of("2026-10-11T12:00Z")


def readers() -> list[ChargeReader]:
    """September and October, as the commands read them."""
    ledger = MemoryLedger()
    lines = (FOLDER / "calls.jsonl").read_bytes().splitlines()
    asyncio.run(ledger.apply([decode_event(line) for line in lines], now=OCTOBER.end))
    return [ChargeReader(month, ledger, CARD) for month in (SEPTEMBER, OCTOBER)]


def compare() -> Document:
    costs = [MonthCosts(BY, OVER), MonthCosts(BY, OVER)]
    for reader, into in zip(readers(), costs, strict=True):
        for each in reader.read():
            into.add(each)
    months = Months(
        before=SEPTEMBER,
        after=OCTOBER,
        currency="USD",
        as_of=OVER,
        first_days=None,
    )
    return comparison_document(months, comparison(BY, *costs))


def economics() -> Document:
    units, reader = MonthUnits(BY, CARD.rate_for), readers()[1]
    for each in reader.read():
        units.add(each)
    units.count_requests(reader.requests)
    return economics_document(
        Economics(
            month=OCTOBER,
            currency="USD",
            by=BY,
            units=units,
            ptu_per_hour=Decimal("1.00"),
        )
    )


def running() -> Horizon:
    return Horizon(month=OCTOBER, as_of=RUNNING, currency="USD")


def forecast() -> Document:
    spend = read_days(readers(), RUNNING)
    return forecast_document(month_forecast(running(), spend), left_out_of(spend, OCTOBER))


def budget() -> Document:
    spend = read_days(readers(), RUNNING)
    return budgets_document(budgets(running(), spend, read_budgets(FOLDER / "budgets.csv")))


DOCUMENTS: dict[str, Callable[[], Document]] = {
    "compare": compare,
    "economics": economics,
    "forecast": forecast,
    "budget": budget,
}
WRITTEN: dict[str, Callable[[Document], str]] = {
    "txt": lambda document: document_table(document, 80),
    "csv": lambda document: sheet_csv(document, document.sheets[0]),
    "json": document_json,
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("suffix", WRITTEN)
def test_planning_is_byte_for_byte_what_was_worked_out(name: str, suffix: str) -> None:
    written = (FOLDER / f"{name}.{suffix}").read_bytes()
    assert WRITTEN[suffix](DOCUMENTS[name]()).encode() == written

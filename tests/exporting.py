"""Builds what the tests of exports speak of: charges, and a golden month's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from accounting import OCTOBER, sku

from accountant.charges import Charge, Consumption, Price, Uncharged
from accountant.exports.focus import focus_header, focus_row
from accountant.exports.focus_columns import Books, FocusVersion
from accountant.rate_cards.rate_files import load_rate_card
from accountant.usage_charges import month_charges
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.usage.event import decode_event
from tollgate.usage.periods import Month

BOOKS = Books(period=OCTOBER, currency="USD")


def usage(quantity: int = 1000, **changes: Any) -> Charge:
    """A day's input tokens of contoso's CC-1001 at 0.15 a million."""
    amount = Decimal(quantity) * Decimal("0.15") / 1_000_000
    charge = Charge(
        tenant="contoso",
        billing_code="CC-1001",
        start=date(2026, 10, 15),
        end=date(2026, 10, 16),
        category="Usage",
        description="gpt-4o-mini input tokens",
        amount=amount,
        effective=amount,
        consumed=Consumption(sku=sku(), meter="input", quantity=quantity, requests=1),
        price=Price(listed=Decimal("0.15"), charged=Decimal("0.15"), per=1_000_000),
    )
    return msgspec.structs.replace(charge, **changes)


def owed(amount: str, **changes: Any) -> Charge:
    """An amount of contoso's CC-1001 for no usage."""
    made = usage(consumed=None, price=None, amount=Decimal(amount), effective=Decimal(amount))
    return msgspec.structs.replace(made, **changes)


def golden_charges(folder: Path) -> list[Charge | Uncharged]:
    """The charges of a folder's events, as they were delivered."""
    month, ledger = Month.parse(folder.name), MemoryLedger()
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    asyncio.run(ledger.apply([decode_event(line) for line in lines], now=month.end))
    card = load_rate_card(folder / "rates.toml")
    return list(month_charges(month, ledger.money_cells(month), card))


def focus_csv(
    charges: Iterable[Charge | Uncharged], version: FocusVersion = "1.0", books: Books = BOOKS
) -> str:
    """The charges as one file."""
    rows = (focus_row(each, books, version) for each in charges if isinstance(each, Charge))
    return focus_header(version) + "".join(rows)

"""Builds what the tests of exports speak of: charges, and a golden month's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from accounting import OCTOBER, golden_reader, sku

from accountant.charges import (
    Allocation,
    Charge,
    Consumption,
    Price,
    SplitMethod,
    Uncharged,
)
from accountant.edition import DRAFT, Edition
from accountant.exports.account_files import read_accounts
from accountant.exports.accounts import Accounts
from accountant.exports.bearers import owed_by_bearer
from accountant.exports.books import Books
from accountant.exports.focus import focus_header, focus_rows
from accountant.exports.focus_columns import FocusVersion
from accountant.exports.journal import Posting, journal

BOOKS = Books(period=OCTOBER, currency="USD")
NAMES = Accounts()
NOTHING: Mapping[str, Any] = MappingProxyType({})


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


def part(
    amount: str, method: SplitMethod = "used", shared: Mapping[str, Any] = NOTHING, **changes: Any
) -> Charge:
    """A third of a cost of 100.00 a month that contoso's CC-1001 bears.

    Args:
        amount: The part.
        method: How it was shared out.
        shared: What else to say of the allocation.
        changes: Of the charge.
    """
    share, whole = "0.333333333333", Decimal("100.00")
    allocation = Allocation(cost="ptu-weu", method=method, share=share, whole=whole)
    made = owed(amount, start=date(2026, 10, 1), end=date(2026, 11, 1))
    whole_month = msgspec.structs.replace(
        made, allocation=msgspec.structs.replace(allocation, **shared)
    )
    return msgspec.structs.replace(whole_month, **changes)


class Beside(msgspec.Struct):
    """What a golden month has beside its usage.

    Args:
        edition: The state of its books; the version of its rate card is made up.
        entries: What is owed beside usage.
    """

    edition: Edition = DRAFT
    entries: list[Charge] = []


def beside(folder: Path) -> Beside:
    """What a folder's `entries.json` says."""
    path = folder / "entries.json"
    return msgspec.json.decode(path.read_bytes(), type=Beside) if path.exists() else Beside()


def golden_books(folder: Path) -> Books:
    """The books of a folder's month."""
    edition = msgspec.structs.replace(beside(folder).edition, rate_card=f"rates {folder.name}")
    reader = golden_reader(folder)
    return Books(period=reader.month, currency=reader.currency, edition=edition)


def golden_accounts(folder: Path) -> Accounts:
    """What a folder's `accounts.toml` says."""
    path = folder / "accounts.toml"
    return read_accounts([path] if path.exists() else [])


def golden_charges(folder: Path) -> list[Charge | Uncharged]:
    """The charges of a folder's month, and its entries."""
    reader = golden_reader(folder)
    for entry in beside(folder).entries:
        reader.entries.setdefault(entry.tenant, []).append(entry)
    return list(reader.read())


def journal_of(
    charges: Iterable[Charge | Uncharged], books: Books = BOOKS, accounts: Accounts = NAMES
) -> list[Posting]:
    """The postings of these charges."""
    charged = (each for each in charges if isinstance(each, Charge))
    return journal(owed_by_bearer(charged, accounts), books, accounts)


def focus_csv(
    charges: Iterable[Charge | Uncharged], version: FocusVersion = "1.0", books: Books = BOOKS
) -> str:
    """The charges as one file."""
    rows = [
        row
        for each in charges
        if isinstance(each, Charge)
        for row in focus_rows(each, books, version)
    ]
    return focus_header(version) + "".join(rows)

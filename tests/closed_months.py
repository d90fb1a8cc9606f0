"""Builds what the tests of closed months speak of: rates, months that are over, and their books."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from accounting import money_cell, rate, sku, used

from accountant.charges import Charge
from accountant.closing.books import Books
from accountant.closing.close import CloseRequest, Outcome, close
from accountant.closing.corrections import Row
from accountant.closing.waivers import StatedWaiver, read_waivers
from accountant.closing.watched_ledger import WatchedLedger
from accountant.commands.charge_reader import ChargeReader
from accountant.commands.drafts import Drafts
from accountant.costs.cost_files import Costs
from accountant.errors import CloseRefused
from accountant.kept_aside import Ledger
from accountant.money import total
from accountant.rate_cards.rate_card import RateCard
from tollgate.ledger.cells import MoneyCell, Usage, UserCell
from tollgate.ledger.outcome import KeptAside
from tollgate.ledger.rows import Tally
from tollgate.usage.periods import Month

SEPTEMBER, OCTOBER, NOVEMBER = Month(2026, 9), Month(2026, 10), Month(2026, 11)
LATER = datetime(2027, 6, 1, 12, tzinfo=UTC)


class CellLedger:
    """A ledger whose cells a test sets.

    Args:
        cells: In any order.
    """

    def __init__(self, cells: Iterable[MoneyCell] = ()) -> None:
        self.cells = list(cells)

    def tenants(self) -> list[str]:
        return sorted({cell.tenant for cell in self.cells})

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        mine = [cell for cell in self.cells if cell.hour.startswith(f"{month}-")]
        for _, same in groupby(sorted(mine, key=_order), key=_order):
            yield reduce(_added, same)

    def user_cells(self, month: Month) -> Iterator[UserCell]:
        for cell in self.money_cells(month):
            yield UserCell(
                tenant=cell.tenant,
                day=cell.hour[:10],
                billing_code=cell.billing_code,
                user="alice",
                sku=cell.sku,
                usage=cell.usage,
            )

    def kept_aside(self, tenant: str) -> KeptAside:
        del tenant
        return KeptAside(0, 0)


def _order(cell: MoneyCell) -> tuple[object, ...]:
    names = (cell.billing_code, *msgspec.structs.astuple(cell.sku))
    return (cell.tenant, cell.hour, *((name is not None, name or "") for name in names))


def _added(one: MoneyCell, other: MoneyCell) -> MoneyCell:
    tally = Tally()
    for each in (one, other):
        tally.requests += each.usage.requests
        for meter, used_of in each.usage.meters.items():
            tally.quantities[meter] += used_of.quantity
            tally.counted[meter] += used_of.requests
    return msgspec.structs.replace(one, usage=tally.usage())


def cell(day: str, quantity: int = 1_000_000, **changes: Any) -> MoneyCell:
    """Input tokens of contoso's CC-1001 on a day."""
    return money_cell(hour=f"{day}T12", usage=used(quantity), **changes)


def pending(day: str, requests: int = 1) -> MoneyCell:
    """Requests of contoso that wait for their counts."""
    made = cell(day, sku=sku(provenance="pending", prompt_band=None))
    return msgspec.structs.replace(made, usage=Usage(requests, {}))


def card(price: str = "0.15", *more: Any, **changes: Any) -> RateCard:
    """The price of a million input tokens of gpt-4o-mini, and other rates."""
    return RateCard([rate(price, **changes), *more])


def draft(
    ledger: Ledger,
    month: Month,
    prices: RateCard | None = None,
    costs: Costs | None = None,
) -> ChargeReader:
    """A month as the ledger has it."""
    return Drafts(ledger, prices or card(), costs).plain(month)


def corrected(
    ledger: Ledger,
    books: Path,
    month: Month,
    prices: RateCard | None = None,
    costs: Costs | None = None,
) -> list[Row]:
    """An open month's charges, with what corrects closed ones."""
    return list(Drafts(ledger, prices or card(), costs).corrected(month, Books(books)).read())


def close_month(
    ledger: Ledger,
    folder: Path,
    month: Month,
    prices: RateCard | None = None,
    costs: Costs | None = None,
    **asked: Any,
) -> Outcome | None:
    """Close a month as the command does."""
    books, watched = Books(folder), WatchedLedger(ledger)
    drafts = Drafts(watched, prices or card(), costs)
    reader = drafts.plain(month)
    found = drafts.correct(reader, books, watched)
    request = CloseRequest(
        month=month,
        by="ada",
        now=LATER,
        product="0.1.0",
        corrects=found.months,
    )
    return close(books, watched, reader, msgspec.structs.replace(request, **asked))


def corrections_in(rows: Iterable[Row]) -> list[Charge]:
    """What corrects closed months."""
    return [row for row in rows if isinstance(row, Charge) and row.correction]


def owed(rows: Iterable[Row]) -> Decimal:
    """What usage and entries add up to, without rounding."""
    charges = (row for row in rows if isinstance(row, Charge) and row.category != "Rounding")
    return total(each.amount for each in charges)


def close_waiving(
    ledger: Ledger,
    folder: Path,
    month: Month,
    prices: RateCard | None = None,
    costs: Costs | None = None,
) -> Outcome:
    """Close a month, and let pass all that can be waived, as its refusal says how."""
    stated: list[StatedWaiver] = []
    try:
        outcome = close_month(ledger, folder, month, prices, costs)
    except CloseRefused as refused:
        path = folder.parent / "waivers.toml"
        path.write_text(refused.waivers.replace('reason = ""', 'reason = "agreed"'))
        stated = read_waivers(path)
        outcome = close_month(ledger, folder, month, prices, costs, waivers=stated)
    assert outcome is not None
    assert outcome.unused == []
    return outcome


def after_close(folder: Path) -> Month:
    """The first open month."""
    month = Books(folder).open_month
    assert month is not None
    return month


RATES = """
[[rate]]
model = "gpt-4o-mini"
meter = "{meter}"
price = "{price}"
per = 1000000
currency = "USD"
effective_from = 2024-01-01
source = "agreement"
checked_on = 2024-01-01
"""


def write_rates(path: Path, price: str = "0.15") -> Path:
    """A rate card of a model's three meters, each at this price, since 2024."""
    meters = ("input", "cached_input", "output")
    path.write_text("".join(RATES.format(meter=meter, price=price) for meter in meters))
    return path

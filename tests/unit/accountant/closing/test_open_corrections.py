from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from accounting import sku
from closed_months import (
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    CellLedger,
    card,
    cell,
    close_month,
    close_waiving,
    corrected,
    corrections_in,
)
from costing import shared

from accountant.charges import Uncharged
from accountant.costs.cost_files import Costs
from accountant.errors import BooksError, CloseRefused
from tollgate.ledger.cells import MoneyCell
from tollgate.usage.periods import Month


class CountingLedger(CellLedger):
    """Counts how often a month is read."""

    def __init__(self, cells: list[MoneyCell]) -> None:
        super().__init__(cells)
        self.read: list[str] = []

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        self.read.append(str(month))
        return super().money_cells(month)


@pytest.fixture
def ledger() -> CellLedger:
    return CellLedger([cell("2026-09-10"), cell("2026-10-10"), cell("2026-11-10")])


@pytest.fixture
def books(ledger: CellLedger, tmp_path: Path) -> Path:
    """Two closed months."""
    for month in (SEPTEMBER, OCTOBER):
        close_month(ledger, tmp_path / "books", month)
    return tmp_path / "books"


def test_every_closed_month_is_corrected_on_the_first_open_one(
    ledger: CellLedger, books: Path
) -> None:
    ledger.cells += [cell("2026-09-11", 1), cell("2026-10-11", 1)]
    found = corrections_in(corrected(ledger, books, NOVEMBER))
    assert [each.correction and each.correction.month for each in found] == ["2026-09", "2026-10"]
    assert corrections_in(corrected(ledger, books, Month(2026, 12))) == []


def test_a_month_that_is_as_it_was_is_read_once_and_not_priced(books: Path) -> None:
    ledger = CountingLedger([cell("2026-09-10"), cell("2026-10-10"), cell("2026-11-10")])
    assert corrections_in(corrected(ledger, books, NOVEMBER)) == []
    assert ledger.read == ["2026-09", "2026-10", "2026-11"]
    ledger.read.clear()
    assert corrections_in(corrected(ledger, books, NOVEMBER, card("0.20")))
    assert ledger.read == ["2026-09", "2026-09", "2026-10", "2026-10", "2026-11"]


def test_corrections_are_frozen_when_their_month_is_closed(ledger: CellLedger, books: Path) -> None:
    ledger.cells.append(cell("2026-09-11", 1))
    close_month(ledger, books, NOVEMBER)
    assert corrections_in(corrected(ledger, books, Month(2026, 12))) == []
    ledger.cells.append(cell("2026-09-11", 2))
    [found] = corrections_in(corrected(ledger, books, Month(2026, 12)))
    assert found.consumed
    assert found.consumed.quantity == 2


def test_late_usage_without_a_rate_stands_in_the_way_of_the_next_close(
    ledger: CellLedger, books: Path
) -> None:
    ledger.cells.append(cell("2026-09-11", 7, sku=sku(model="gpt-9")))
    left = [row for row in corrected(ledger, books, NOVEMBER) if isinstance(row, Uncharged)]
    assert [row.start.month for row in left] == [9]
    with pytest.raises(CloseRefused) as caught:
        close_month(ledger, books, NOVEMBER)
    assert caught.value.reasons == [
        "contoso: gpt-9 input: 7 tokens without a rate (7 of 2026-09): add a rate"
    ]
    close_waiving(ledger, books, NOVEMBER)
    assert not any(isinstance(row, Uncharged) for row in corrected(ledger, books, Month(2026, 12)))


def test_a_ledger_that_lost_a_closed_month_takes_nothing_back(
    ledger: CellLedger, books: Path
) -> None:
    del ledger.cells[0]
    with pytest.raises(BooksError, match="2026-09: is closed with 1 requests, and the ledger has"):
        corrected(ledger, books, NOVEMBER)


def test_books_have_one_currency(ledger: CellLedger, books: Path) -> None:
    with pytest.raises(BooksError, match="is closed in USD, and these rates are in EUR"):
        corrected(ledger, books, NOVEMBER, card(currency="EUR"))


def test_costs_that_are_not_given_any_more_take_nothing_back(tmp_path: Path) -> None:
    ledger, books = CellLedger([cell("2026-10-10"), cell("2026-11-10")]), tmp_path / "books"
    costs = Costs(shared=(shared(),), version="4711")
    close_month(ledger, books, OCTOBER, costs=costs)
    with pytest.raises(BooksError, match="2026-10: is closed with the fixed costs 4711, and none"):
        corrected(ledger, books, NOVEMBER)
    none_left = Costs(currency="USD", version="4712")
    [found] = corrections_in(corrected(ledger, books, NOVEMBER, costs=none_left))
    assert found.amount == -100

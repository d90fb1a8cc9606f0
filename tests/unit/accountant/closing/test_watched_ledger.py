from __future__ import annotations

from closed_months import NOVEMBER, OCTOBER, CellLedger, cell

from accountant.closing.watched_ledger import NO_CELLS, WatchedLedger


def test_the_same_cells_have_the_same_digest_and_others_another() -> None:
    ledger = CellLedger([cell("2026-10-10")])
    one = WatchedLedger(ledger).digest(OCTOBER)
    assert one == WatchedLedger(CellLedger(ledger.cells)).digest(OCTOBER)
    ledger.cells.append(cell("2026-10-11", 1))
    assert one != WatchedLedger(ledger).digest(OCTOBER)
    assert WatchedLedger(ledger).digest(NOVEMBER) == NO_CELLS


def test_a_month_that_was_not_the_same_each_time_has_moved() -> None:
    ledger = CellLedger([cell("2026-10-10")])
    watched = WatchedLedger(ledger)
    cells = list(watched.money_cells(OCTOBER))
    assert (cells, watched.moved) == (ledger.cells, set())
    ledger.cells.append(cell("2026-10-11", 1))
    watched.digest(OCTOBER)
    assert watched.moved == {"2026-10"}


def test_it_is_the_ledger_for_whoever_reads_it() -> None:
    ledger = CellLedger([cell("2026-10-10")])
    watched = WatchedLedger(ledger)
    assert watched.tenants() == ledger.tenants()
    assert list(watched.user_cells(OCTOBER)) == list(ledger.user_cells(OCTOBER))
    assert watched.kept_aside("contoso") == ledger.kept_aside("contoso")


def test_what_was_not_read_to_its_end_has_no_digest() -> None:
    watched = WatchedLedger(CellLedger([cell("2026-10-10"), cell("2026-10-11")]))
    next(watched.money_cells(OCTOBER))
    assert watched.digests == {}

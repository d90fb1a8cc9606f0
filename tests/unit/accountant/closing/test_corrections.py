from __future__ import annotations

from datetime import date
from decimal import Decimal

from accounting import rate, sku
from closed_months import (
    OCTOBER,
    SEPTEMBER,
    CellLedger,
    card,
    cell,
    corrections_in,
    draft,
    pending,
)
from exporting import owed, usage

from accountant.charges import Allocation, Charge, Uncharged
from accountant.closing.corrections import Row, corrections, of_month, own_rows
from accountant.rate_cards.rate_card import RateCard

CELLS = [cell("2026-09-10"), cell("2026-09-12"), cell("2026-09-11", tenant="fabrikam")]
UNKNOWN = sku(model="gpt-9")


def rows(ledger: CellLedger, prices: RateCard | None = None) -> list[Row]:
    return list(draft(ledger, SEPTEMBER, prices).read())


def corrected(
    billed: list[Row], now: list[Row], *later: list[Row]
) -> tuple[list[Charge], list[Uncharged]]:
    found = [each.row for each in corrections(SEPTEMBER, [billed, *later], now)]
    return corrections_in(found), [each for each in found if isinstance(each, Uncharged)]


def test_a_month_that_is_as_it_was_needs_nothing() -> None:
    closed = rows(CellLedger(CELLS))
    assert corrected(closed, closed) == ([], [])


def test_late_usage_keeps_its_day_its_quantity_and_its_price() -> None:
    ledger = CellLedger(CELLS)
    closed = rows(ledger)
    ledger.cells.append(cell("2026-09-11", 500_000))
    [late], _ = corrected(closed, rows(ledger))
    assert (late.tenant, late.start, late.end) == ("contoso", date(2026, 9, 11), date(2026, 9, 12))
    assert late.consumed
    assert late.price
    assert (late.consumed.quantity, late.price.charged) == (500_000, Decimal("0.15"))
    assert (late.amount, late.category) == (Decimal("0.075"), "Usage")
    assert late.description.startswith("Correction of 2026-09: gpt-4o-mini input tokens")
    assert late.correction
    assert (late.correction.month, late.correction.reason) == ("2026-09", "usage")


def test_every_change_is_found_in_order_of_tenant_and_day() -> None:
    closed, now = rows(CellLedger(CELLS)), rows(CellLedger(CELLS), card("0.20"))
    found, _ = corrected(closed, now)
    places = [(each.tenant, each.start) for each in found]
    assert places == sorted(places)
    assert [each.amount for each in found] == [Decimal("-0.15"), Decimal("0.20")] * 3
    assert {each.correction.reason for each in found if each.correction} == {"price"}


def test_what_later_statements_corrected_is_not_corrected_again() -> None:
    closed, now = rows(CellLedger(CELLS)), rows(CellLedger(CELLS), card("0.20"))
    earlier = list[Row](corrected(closed, now)[0])
    assert corrected(closed, now, earlier) == ([], [])
    back, _ = corrected(closed, closed, earlier)
    assert sum(each.amount for each in back) == Decimal("-0.15")


def test_a_tenant_that_is_new_or_gone_is_found() -> None:
    closed, now = rows(CellLedger(CELLS[:2])), rows(CellLedger(CELLS[1:]))
    found, _ = corrected(closed, now)
    assert [(each.tenant, each.amount) for each in found] == [
        ("contoso", Decimal("-0.15")),
        ("fabrikam", Decimal("0.15")),
    ]


def test_late_usage_without_a_rate_or_a_count_is_in_no_charge() -> None:
    ledger = CellLedger([*CELLS, cell("2026-09-10", 5, sku=UNKNOWN)])
    closed = rows(ledger)
    ledger.cells += [
        cell("2026-09-10", 3, sku=UNKNOWN),
        pending("2026-09-20"),
    ]
    charges, left = corrected(closed, rows(ledger))
    assert charges == []
    assert [each.requests for each in left] == [1, 1]
    assert [each.consumed.quantity if each.consumed else None for each in left] == [3, None]


def test_what_is_priced_now_is_billed() -> None:
    ledger = CellLedger([cell("2026-09-10", sku=UNKNOWN)])
    closed = rows(ledger)
    [found], left = corrected(closed, rows(ledger, card("0.15", rate("2", model="gpt-9"))))
    assert (found.amount, left) == (Decimal(2), [])
    assert found.correction
    assert found.correction.reason == "price"


def test_shared_costs_stand_behind_usage_and_are_compared_whole() -> None:
    shared = Allocation(cost="gateway", method="even", share="1/2", whole=Decimal(10))
    before, now = (
        owed(amount, description="gateway", allocation=shared, start=date(2026, 9, 1))
        for amount in ("5", "5.01")
    )
    closed = [usage(start=date(2026, 9, 10)), before]
    found = list(corrections(SEPTEMBER, [closed], [closed[0], now]))
    [only] = found
    assert isinstance(only.row, Charge)
    assert (only.row.amount, only.row.description) == (
        Decimal("0.01"),
        "Correction of 2026-09: gateway",
    )
    assert only.row.correction
    assert only.row.correction.reason == "cost"
    assert only.line is not None


def test_the_rounding_of_statements_is_no_part_of_it() -> None:
    closed = rows(CellLedger([cell("2026-09-10", 1)]))
    without = [each for each in closed if isinstance(each, Charge) and each.category == "Usage"]
    assert len(without) < len(closed)
    assert corrected(closed, list[Row](without)) == ([], [])


def test_a_correction_names_the_line_as_it_was_billed() -> None:
    closed, now = rows(CellLedger(CELLS)), rows(CellLedger(CELLS), card("0.20"))
    found = list(corrections(SEPTEMBER, [closed], now))
    assert all(each.line and each.line.price for each in found)
    prices = {each.line.price.charged for each in found if each.line and each.line.price}
    assert prices == {Decimal("0.15")}


def test_rows_of_other_months_are_told_apart() -> None:
    late = Uncharged(
        tenant="a",
        billing_code=None,
        start=date(2026, 9, 5),
        sku=UNKNOWN,
        requests=1,
        consumed=None,
    )
    own = Uncharged(
        tenant="a",
        billing_code=None,
        start=date(2026, 10, 5),
        sku=UNKNOWN,
        requests=1,
        consumed=None,
    )
    [correction], _ = corrected(rows(CellLedger(CELLS)), rows(CellLedger(CELLS[1:])))
    month = [usage(), own, late, correction]
    assert list(own_rows(OCTOBER, month)) == [month[0], own]
    assert list(of_month(SEPTEMBER, month)) == [late, correction]
    assert list(of_month(OCTOBER, month)) == [own]

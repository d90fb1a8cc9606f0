from __future__ import annotations

from datetime import date
from decimal import Decimal

from accounting import OCTOBER, money_cell, used
from costing import fx, provisioned, ptu

from accountant.charges import Charge
from accountant.costs.exchange_rates import ExchangeRates
from accountant.costs.provisioned_charges import provisioned_charges
from accountant.costs.provisioned_rows import ProvisionedRow
from accountant.costs.provisioned_use import ProvisionedUse
from tollgate.ledger.cells import MoneyCell, Usage

CELL = money_cell(sku=provisioned(), usage=used(3000, requests=2))
DOLLARS = ExchangeRates([], "USD")


def charges(
    rows: list[ProvisionedRow], *cells: MoneyCell, exchange: ExchangeRates = DOLLARS
) -> list[Charge]:
    use = ProvisionedUse(rows)
    for cell in cells:
        use.add(cell, (cell.tenant, cell.billing_code))
    return list(provisioned_charges(rows, OCTOBER, use, exchange))


def test_a_used_part_says_its_tokens_its_share_and_the_whole() -> None:
    found = {each.tenant: each for each in charges([ptu()], CELL)}
    mine = found["contoso"]
    assert (mine.amount, mine.category) == (Decimal("0.50"), "Usage")
    assert (mine.start, mine.end) == (date(2026, 10, 15), date(2026, 10, 16))
    assert mine.description == "Provisioned ptu-weu: 3,000 input tokens"
    assert mine.allocation is not None
    assert (mine.allocation.method, mine.allocation.share) == ("used", "0.020833333333")
    assert (mine.allocation.tokens, mine.allocation.requests) == ((("input", 3000),), 2)
    idle = found["unallocated"]
    assert (idle.amount, idle.description) == (Decimal("23.50"), "Provisioned ptu-weu, idle")
    assert idle.allocation is not None
    assert idle.allocation.whole == mine.allocation.whole == 24


def test_the_whole_is_rounded_once_and_split_exactly() -> None:
    found = charges([ptu(price_per_ptu_hour="0.00333")], CELL)
    assert [each.amount for each in found] == [Decimal("7.82"), Decimal("0.17")]
    assert {each.allocation.whole for each in found if each.allocation} == {Decimal("7.99")}


def test_who_used_only_cached_tokens_has_them_shown() -> None:
    cached = money_cell(sku=provisioned(), usage=used(700, meter="cached_input"))
    (_, mine) = charges([ptu()], cached)
    assert (mine.amount, mine.description) == (0, "Provisioned ptu-weu: 700 cached input tokens")


def test_who_only_asked_has_no_part() -> None:
    asked = money_cell(sku=provisioned(provenance="none"), usage=Usage(3, {}))
    assert [each.tenant for each in charges([ptu()], asked)] == ["unallocated"]


def test_rows_of_one_name_are_one_cost() -> None:
    more = ptu(
        effective_from=date(2026, 10, 16), effective_to=date(2026, 10, 17), ptus=200, name="ptu-weu"
    )
    found = charges([ptu(), more], CELL)
    assert sum(each.amount for each in found) == 24 + 48
    assert {(each.start, each.end) for each in found} == {(date(2026, 10, 15), date(2026, 10, 17))}


def test_an_hour_is_converted_by_the_rate_of_its_day() -> None:
    row = ptu(effective_to=date(2026, 10, 17))
    later = date(2026, 10, 16)
    exchange = ExchangeRates(
        [fx("0.9", effective_to=later), fx("0.8", effective_from=later)], "EUR"
    )
    (idle,) = charges([row], exchange=exchange)
    assert idle.amount == Decimal("21.60") + Decimal("19.20")


def test_what_is_reserved_names_its_reservation() -> None:
    row = ptu(price_per_ptu_hour=None, price_per_month="744", reservation="r-1")
    (idle,) = charges([row])
    assert idle.allocation is not None
    assert (idle.amount, idle.allocation.commitment) == (24, "r-1")


def test_another_month_costs_nothing() -> None:
    assert charges([ptu(effective_from=date(2026, 11, 1), effective_to=None)]) == []

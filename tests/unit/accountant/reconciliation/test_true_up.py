from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from accounting import OCTOBER, card, money_cell, rate, used
from reconciling import THE_15TH, compared, ledger_reading, provider

from accountant.exports.accounts import Accounts, CostCentre
from accountant.money import total
from accountant.reconciliation.items import Item
from accountant.reconciliation.reconcile import Terms
from accountant.reconciliation.sides import Provided
from accountant.reconciliation.true_up import Method, TrueUp, postings_of, true_up
from tollgate.errors import SettingsError
from tollgate.ledger.cells import MoneyCell

RATES = card(rate("100"))  # a million tokens for a hundred
CELLS = [
    money_cell(usage=used(20_000)),  # two dollars
    money_cell(tenant="fabrikam", usage=used(10_000)),
]


def entry(
    *billed: str, method: Method = "proportional", cells: list[MoneyCell] = CELLS, **changes: Any
) -> TrueUp:
    """Against an invoice of these amounts: of the ledger's meter, and of another."""
    reading = ledger_reading(cells, "invoice", changes.pop("rates", RATES))
    ledger = reading.side("USD")
    items = [next(iter(ledger.counts))[1], Item(backend="other", meter="odd")]
    counts = {
        (THE_15TH, item): Provided(quantity=30_000, amount=Decimal(amount))
        for item, amount in zip(items, billed, strict=False)
    }
    terms = changes.pop("terms", Terms(now=datetime(2026, 12, 1, tzinfo=UTC)))
    found = compared(ledger, provider("invoice", counts=counts), terms)
    return true_up(OCTOBER, found, reading.owed, method)


def lines(found: TrueUp) -> list[tuple[str, str]]:
    return [(line.tenant, str(line.amount)) for line in found.lines]


def test_the_difference_is_shared_by_what_each_owes_of_the_meter() -> None:
    found = entry("4.00")
    assert lines(found) == [("contoso", "0.67"), ("fabrikam", "0.33")]
    assert (found.ledger, found.provider, found.amount) == (3, 4, Decimal("1.00"))


def test_it_may_be_a_credit() -> None:
    assert lines(entry("2.00")) == [("contoso", "-0.67"), ("fabrikam", "-0.33")]


def test_a_meter_of_which_nobody_owes_anything_is_unallocated() -> None:
    found = entry("3.00", "5.00")
    assert lines(found) == [("unallocated", "5.00")]
    assert found.lines[0].item == Item(backend="other", meter="odd")


def test_it_may_stand_on_one_line() -> None:
    found = entry("4.00", "5.00", method="unallocated")
    assert lines(found) == [("unallocated", "6.00")]
    assert found.lines[0].item is None


@pytest.mark.parametrize(("billed", "amount"), [("3.005", "0.01"), ("3.0049", "0"), ("3", "0")])
def test_the_sum_is_rounded_half_up(billed: str, amount: str) -> None:
    found = entry(billed)
    assert found.amount == Decimal(amount)
    assert total(line.amount for line in found.lines) == found.amount


def test_lines_are_to_the_cent_and_none_is_nothing() -> None:
    found = entry("3.01")
    assert lines(found) == [("contoso", "0.01")]


def test_its_id_is_of_its_lines() -> None:
    assert entry("4.00").id == entry("4.00").id
    assert entry("4.00").id.startswith("TU-2026-10-")
    assert entry("4.00").id != entry("4.10").id


def test_a_month_that_may_grow_or_has_no_price_is_refused() -> None:
    terms = Terms(now=datetime(2026, 10, 16, tzinfo=UTC))
    with pytest.raises(SettingsError) as found:
        entry("4.00", terms=terms, rates=card(rate(model="gpt-9")))
    assert found.value.problems == [
        "--true-up is of a whole month; the provider may still add to 2026-10-13",
        "--true-up: 30,000 tokens have no rate; price them first (--rates)",
    ]


def test_it_is_posted_as_expense_against_clearing() -> None:
    accounts = Accounts(
        expense="6400", cost_centres={("contoso", None): [CostCentre("4711", "6401")]}
    )
    postings = postings_of(entry("4.00"), accounts)
    assert [(each.account, each.cost_centre, str(each.amount)) for each in postings] == [
        ("6401", "4711", "0.67"),
        ("CLEARING", "", "-0.67"),
        ("6400", "UNALLOCATED", "0.33"),
        ("CLEARING", "", "-0.33"),
    ]
    assert postings[0].text.startswith("True-up TU-2026-10-")
    assert postings[0].text.endswith(
        " to the provider's invoice of 2026-10: weu-1 gpt-4o-mini 2024-07-18 regional standard "
        "input"
    )
    assert postings_of(entry("4.00", method="unallocated"), accounts)[0].text.endswith("all meters")

"""What holds for the exports of any usage."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from random import Random

import hypothesis.strategies as st
import pytest
from accounting import OCTOBER, money_cell, rate, sku, used
from exporting import focus_csv
from hypothesis import given, settings

from accountant.charges import Charge, Uncharged
from accountant.exports.focus_columns import Books
from accountant.exports.journal import Accounts, journal, owed_by_code
from accountant.exports.journal_template import journal_csv
from accountant.money import rounded, smallest_unit, total
from accountant.rate_cards.rate_card import RateCard
from accountant.reports.report import Report, month_report
from accountant.shares import shares
from accountant.usage_charges import month_charges
from tollgate.ledger.cells import MoneyCell

LAW = settings(deadline=None, max_examples=100)
CURRENCIES = ["JPY", "USD", "BHD"]
AMOUNTS = st.decimals(-(10**9), 10**9, places=9) | st.decimals(-1, 1, places=12)
CODES = st.dictionaries(st.none() | st.sampled_from(["a", "b", "=c", "4711"]), AMOUNTS)
NAMES = st.sampled_from(["a", "b"])
CHANGE = date(2026, 10, 16)
CELLS = st.lists(
    st.builds(
        money_cell,
        tenant=NAMES,
        billing_code=st.none() | NAMES,
        hour=st.sampled_from(["2026-10-15T00", "2026-10-15T23", "2026-10-16T00"]),
        sku=st.builds(sku, model=st.sampled_from(["gpt-4o-mini", "gpt-9"]), region=NAMES),
        usage=st.builds(used, st.integers(1, 10**6)),
    ),
    max_size=8,
)
PRICES = st.decimals(0, 1000, places=9).map(str)
OWED = st.dictionaries(st.sampled_from(["contoso", "fabrikam", "-x"]), CODES)
Owed = dict[str, dict[str | None, Decimal]]


def shuffled(owed: Owed, random: Random) -> Owed:
    """The same in another order."""
    tenants = random.sample([*owed.items()], len(owed))
    return {tenant: dict(random.sample([*codes.items()], len(codes))) for tenant, codes in tenants}


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(OWED)
def test_a_journal_is_balanced_for_every_tenant(currency: str, owed: Owed) -> None:
    postings = journal(OCTOBER, owed, currency, Accounts())
    for tenant, codes in owed.items():
        own = [each for each in postings if each.tenant == tenant]
        clearing = total(each.amount for each in own if each.account == "CLEARING")
        assert total(each.amount for each in own) == 0
        assert -clearing == rounded(total(codes.values()), currency)


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(OWED)
def test_every_posting_is_in_whole_units_and_rounding_is_one_at_most(
    currency: str, owed: Owed
) -> None:
    unit = smallest_unit(currency)
    for each in journal(OCTOBER, owed, currency, Accounts()):
        assert each.amount == each.amount.quantize(unit)
        assert each.amount
        assert each.account != "ROUNDING" or each.amount == unit


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(CODES)
def test_a_share_is_less_than_a_unit_from_its_exact_amount(
    currency: str, codes: dict[str | None, Decimal]
) -> None:
    for code, share in shares(codes, currency).items():
        assert abs(share - codes[code]) < smallest_unit(currency)


@LAW
@given(OWED, st.randoms(use_true_random=False))
def test_the_order_of_what_is_owed_changes_no_byte(owed: Owed, random: Random) -> None:
    texts = {
        journal_csv(journal(OCTOBER, each, "USD", Accounts()), OCTOBER, "USD")
        for each in (owed, shuffled(owed, random))
    }
    assert len(texts) == 1


def month(cells: list[MoneyCell], old: str, new: str, currency: str) -> tuple[Report, list[Charge]]:
    """The report of these cells, and their charges, which leave out no usage."""
    card = RateCard(
        [
            rate(old, currency=currency, effective_to=CHANGE),
            rate(new, currency=currency, effective_from=CHANGE),
        ]
    )
    cells = sorted(cells, key=lambda cell: (cell.tenant, cell.hour))
    found = [*month_charges(OCTOBER, cells, card)]
    consumed = [each.consumed for each in found if each.consumed]
    quantities = [meter.quantity for cell in cells for meter in cell.usage.meters.values()]
    assert sum(each.quantity for each in consumed) == sum(quantities)
    charges = [each for each in found if not isinstance(each, Uncharged)]
    return month_report(OCTOBER, ["tenant"], cells, card), charges


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(CELLS, PRICES, PRICES)
def test_charges_and_the_journals_clearing_add_up_to_the_reports_total(
    currency: str, cells: list[MoneyCell], old: str, new: str
) -> None:
    report, charges = month(cells, old, new, currency)
    assert total(each.amount for each in charges) == report.total
    postings = journal(OCTOBER, owed_by_code(charges), currency, Accounts())
    assert total(-each.amount for each in postings if each.account == "CLEARING") == report.total


@LAW
@given(CELLS, PRICES, PRICES)
def test_every_row_of_focus_costs_its_quantity_at_its_price(
    cells: list[MoneyCell], old: str, new: str
) -> None:
    report, charges = month(cells, old, new, "USD")
    text = focus_csv(charges, "1.2", Books(period=OCTOBER, currency="USD"))
    rows = list(csv.DictReader(text.splitlines()))
    assert total(Decimal(row["BilledCost"]) for row in rows) == report.total
    for row in rows:
        if row["ChargeCategory"] == "Usage":
            for kind in ("List", "Contracted"):
                price, quantity = Decimal(row[f"{kind}UnitPrice"]), Decimal(row["PricingQuantity"])
                assert price * quantity == Decimal(row[f"{kind}Cost"])

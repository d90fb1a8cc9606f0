"""What holds for the exports of any usage."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, cast

import hypothesis.strategies as st
import pytest
from accounting import OCTOBER, money_cell, rate, sku, used
from exporting import BOOKS, NOTHING, focus_csv, journal_of, owed, part, usage
from focus_rules import broken_rules
from hypothesis import given, settings

from accountant.charges import Charge, Correction, SplitMethod, Uncharged
from accountant.exports.accounts import Accounts, CostCentre
from accountant.exports.bearers import owed_by_bearer
from accountant.exports.books import Books
from accountant.exports.journal_template import journal_csv
from accountant.money import EXACT, rounded, smallest_unit, total
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
LATE = Correction(month="2026-09", statement="S-2026-09-1", line=3, reason="usage")
MOVED = Accounts(
    ptu="6410",
    credit="6490",
    cost_centres={
        ("contoso", "a"): [
            CostCentre("old", "6400", effective_to=CHANGE),
            CostCentre("new", "6400", effective_from=CHANGE),
        ]
    },
)


def charge(
    amount: Decimal, kind: str, shared: Mapping[str, Any] = NOTHING, **changes: Any
) -> Charge:
    """A charge of any kind."""
    if kind in {"used", "idle", "even"}:
        return part(str(amount), cast("SplitMethod", kind), shared, **changes)
    return owed(str(amount), category=kind, **changes)


CHARGES = st.lists(
    st.builds(
        charge,
        AMOUNTS,
        st.sampled_from(["Usage", "Credit", "Adjustment", "Rounding", "used", "idle", "even"]),
        tenant=st.sampled_from(["contoso", "fabrikam", "-x"]),
        billing_code=st.none() | st.sampled_from(["a", "b", "=c", "4711"]),
        correction=st.none() | st.just(LATE),
        start=st.sampled_from([date(2026, 10, 1), date(2026, 10, 9), date(2026, 10, 20)]),
        end=st.sampled_from([date(2026, 10, 21), date(2026, 11, 1)]),
    ),
    max_size=8,
)


def exact_sums(charges: list[Charge]) -> dict[str, Decimal]:
    """What each tenant owes, without the rounding of its statement."""
    sums: dict[str, Decimal] = {}
    for each in charges:
        if each.category != "Rounding":
            sums[each.tenant] = EXACT.add(sums.get(each.tenant, Decimal(0)), each.amount)
    return sums


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(CHARGES)
def test_a_journal_is_balanced_for_every_tenant_and_batch(
    currency: str, charges: list[Charge]
) -> None:
    postings = journal_of(charges, Books(period=OCTOBER, currency=currency), MOVED)
    balances: dict[tuple[str, str], Decimal] = {}
    for each in postings:
        key = (each.tenant, each.batch)
        balances[key] = balances.get(key, Decimal(0)) + each.amount
    assert set(balances.values()) <= {0}
    for tenant, exact in exact_sums(charges).items():
        own = [each for each in postings if each.tenant == tenant]
        clearing = total(each.amount for each in own if each.account == "CLEARING")
        assert -clearing == rounded(exact, currency)


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(CHARGES)
def test_every_posting_is_in_whole_units_and_rounding_is_one_at_most(
    currency: str, charges: list[Charge]
) -> None:
    unit = smallest_unit(currency)
    for each in journal_of(charges, Books(period=OCTOBER, currency=currency), MOVED):
        assert each.amount == each.amount.quantize(unit)
        assert each.amount
        assert each.account != "ROUNDING" or each.amount == unit


@LAW
@given(CHARGES)
def test_a_move_between_cost_centres_changes_no_amount(charges: list[Charge]) -> None:
    for tenant, bearers in owed_by_bearer(charges, MOVED).items():
        assert total(bearers.values()) == exact_sums(charges)[tenant]


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(CODES)
def test_a_share_is_less_than_a_unit_from_its_exact_amount(
    currency: str, codes: dict[str | None, Decimal]
) -> None:
    for code, share in shares(codes, currency).items():
        assert abs(share - codes[code]) < smallest_unit(currency)


@LAW
@given(CHARGES, st.randoms(use_true_random=False))
def test_the_order_of_what_is_owed_changes_no_byte(charges: list[Charge], random: Random) -> None:
    shuffled = random.sample(charges, len(charges))
    texts = {journal_csv(journal_of(each, BOOKS, MOVED), BOOKS) for each in (charges, shuffled)}
    assert len(texts) == 1


SOUND = st.lists(
    st.builds(
        charge,
        AMOUNTS,
        st.sampled_from(["Credit", "Adjustment", "Rounding", "used", "idle", "even"]),
        shared=st.fixed_dictionaries(
            {"whole": AMOUNTS, "tokens": st.just(()) | st.just((("input", 7),))},
            optional={"commitment": st.just("/reservationOrders/1")},
        ),
        correction=st.none() | st.just(LATE),
    )
    | st.builds(usage, st.integers(-(10**9), 10**9), correction=st.none() | st.just(LATE))
    | st.builds(usage, amount=AMOUNTS, effective=AMOUNTS, correction=st.just(LATE)),
    max_size=8,
)


@LAW
@given(SOUND)
def test_every_row_of_focus_keeps_the_rules_of_1_2_and_adds_up_by_both_costs(
    charges: list[Charge],
) -> None:
    rows = list(csv.DictReader(focus_csv(charges, "1.2").splitlines()))
    assert [rule for row in rows for rule in broken_rules(row)] == []
    assert total(Decimal(row["BilledCost"]) for row in rows) == total(e.amount for e in charges)
    assert total(Decimal(row["EffectiveCost"]) for row in rows) == total(
        each.effective for each in charges
    )


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
    postings = journal_of(charges, Books(period=OCTOBER, currency=currency))
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
    assert [rule for row in rows for rule in broken_rules(row)] == []

"""What holds for any fixed costs, of any usage, in any currency and in any order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import hypothesis.strategies as st
import pytest
from accounting import card, money_cell, rate, used, user_cell
from costing import fx, provisioned, ptu, reader, reassign, shared
from hypothesis import given, settings

from accountant.charges import Charge, Uncharged
from accountant.costs.cost_files import Costs
from accountant.costs.reassignments import ReassignRow, reassign_clashes
from accountant.money import smallest_unit, total
from accountant.reports.report import Report
from accountant.reports.report_json import as_json
from accountant.shares import ratios, split
from tollgate.ledger.cells import MoneyCell

LAW = settings(deadline=None, max_examples=60)
CURRENCIES = ["JPY", "USD", "BHD"]
TENANTS = st.sampled_from(["a", "b", "unallocated"])
CODES = st.none() | st.sampled_from(["x", "y"])
HOURS = st.sampled_from(["2026-10-15T00", "2026-10-15T23", "2026-10-16T00"])
CELLS = st.lists(
    st.builds(
        money_cell,
        tenant=TENANTS,
        billing_code=CODES,
        hour=HOURS,
        sku=st.sampled_from([provisioned(), money_cell().sku]),
        usage=st.builds(used, st.integers(0, 10_000), meter=st.sampled_from(["input", "output"])),
    ),
    max_size=8,
)
WEIGHTS = st.dictionaries(
    st.tuples(TENANTS, CODES), st.fractions(0, 10**6, max_denominator=10**6), min_size=1
)
PRICES = st.integers(1, 10**9).map(lambda units: str(Decimal(units).scaleb(-6)))
METHODS: Any = st.sampled_from(
    [
        {"method": "proportional"},
        {"method": "even"},
        {"method": "fixed", "shares": {"a": "33.3", "c": "66.7"}},
    ]
)


def moved(tenant: str, to: str, code: str | None, *, without_code: bool) -> ReassignRow:
    """A rule for all of a tenant's usage, or for what has no code."""
    return reassign(tenant=tenant, to_tenant=to, to_billing_code=code, without_code=without_code)


RULES = st.lists(
    st.builds(
        moved,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["c", "d"]),
        CODES,
        without_code=st.booleans(),
    ),
    max_size=3,
).filter(lambda rows: not reassign_clashes(rows))


def month(costs: Costs, cells: list[MoneyCell], currency: str = "USD") -> Report:
    """The report of these cells at a price in that currency."""
    prices = card(rate(currency=currency), rate("0.60", meter="output", currency=currency))
    return reader(costs, cells, prices=prices).report(["tenant"])


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(WEIGHTS, st.integers(0, 10**9), st.randoms(use_true_random=False))
def test_a_split_is_exact_and_near_and_the_same_in_any_order(
    currency: str, weights: dict[Any, Fraction], units: int, random: Random
) -> None:
    unit = smallest_unit(currency)
    whole = units * unit
    found = split(whole, weights, currency)
    if not any(weights.values()):
        assert found == {}
        return
    every = sum(weights.values())
    assert total(found.values()) == whole
    assert sum(ratios(weights).values()) == 1
    for payer, part in found.items():
        assert abs(Fraction(part) - Fraction(whole) * weights[payer] / every) < unit
    shuffled = dict(random.sample([*weights.items()], len(weights)))
    assert split(whole, shuffled, currency) == found


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(CELLS, PRICES, METHODS, st.sampled_from(["spread", None]), st.randoms())
def test_parts_add_up_to_their_whole_in_whole_units_and_in_any_order(  # noqa: PLR0913, PLR0917
    currency: str,
    cells: list[MoneyCell],
    price: str,
    method: dict[str, Any],
    idle: str | None,
    random: Random,
) -> None:
    rows = (
        ptu(price_per_ptu_hour=price, currency=currency, idle=idle),
        ptu(deployment="other", name="second", currency=currency),
    )
    common = (shared(price, currency=currency, **method), shared(name="desk", currency=currency))
    report = month(Costs(provisioned=rows, shared=common), cells, currency)
    wholes = {each.allocation.cost: each.allocation for each in report.entries if each.allocation}
    for cost, allocation in wholes.items():
        parts = [each for each in report.entries if _cost(each) == cost]
        assert total(each.amount for each in parts) == allocation.whole
        assert sum(each.allocation.part for each in parts if each.allocation) == 1
    unit = smallest_unit(currency)
    assert all(each.amount == each.amount.quantize(unit) for each in report.entries)
    assert report.total == total(each.total for each in report.statements)
    turned = Costs(provisioned=rows[::-1], shared=common[::-1])
    again = month(turned, random.sample(cells, len(cells)), currency)
    assert as_json(again) == as_json(report)


def _cost(charge: Charge) -> str | None:
    return charge.allocation.cost if charge.allocation else None


@LAW
@given(CELLS, RULES)
def test_a_reassignment_conserves_usage_money_and_requests(
    cells: list[MoneyCell], rules: list[ReassignRow]
) -> None:
    users = [
        user_cell(
            tenant=each.tenant,
            day=each.hour[:10],
            billing_code=each.billing_code,
            sku=each.sku,
            usage=each.usage,
        )
        for each in cells
    ]
    before, after = (reader(Costs(reassignments=tuple(rows)), cells, users) for rows in ((), rules))
    for read in ("read", "read_by_user"):
        was, found = (list(getattr(each, read)()) for each in (before, after))
        assert _exact(found) == _exact(was)
        assert _quantity(found) == _quantity(was)
        tenants = [each.tenant for each in found]
        assert tenants == sorted(tenants)
    assert sum(after.requests.values()) == sum(before.requests.values())
    gone = {row.tenant for row in rules if not row.narrow}
    assert not gone & {tenant for tenant, _ in after.requests}


def _exact(found: list[Charge | Uncharged]) -> Decimal:
    return total(
        each.amount for each in found if isinstance(each, Charge) and each.category == "Usage"
    )


def _quantity(found: list[Charge | Uncharged]) -> int:
    return sum(each.consumed.quantity for each in found if each.consumed)


@LAW
@given(CELLS, PRICES, PRICES)
def test_books_in_another_currency_are_the_days_amounts_at_the_days_rates(
    cells: list[MoneyCell], first: str, second: str
) -> None:
    change = date(2026, 10, 16)
    rates = (fx(first, effective_to=change), fx(second, effective_from=change))
    dollars = list(reader(Costs(), cells).read())
    euros = list(reader(Costs(exchange=rates, currency="EUR"), cells).read())
    expected = [
        each.amount * Decimal(first if each.start < change else second)
        for each in dollars
        if isinstance(each, Charge) and each.category == "Usage"
    ]
    assert [
        each.amount for each in euros if isinstance(each, Charge) and each.category == "Usage"
    ] == expected

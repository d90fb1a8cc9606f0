from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from accounting import card, money_cell, used
from costing import shared

from accountant.costs.payers import Payer
from accountant.costs.shared_parts import bearings
from accountant.costs.usage_costs import UsageCosts


def paid(*costs: tuple[str, str | None, int]) -> UsageCosts:
    """By tenant, billing code and tokens."""
    found = UsageCosts(card())
    for tenant, code, tokens in costs:
        cell = money_cell(tenant=tenant, billing_code=code, usage=used(tokens))
        found.add(cell, (tenant, code))
    return found


USED = paid(("a", "x", 10**6), ("a", None, 2 * 10**6), ("b", "y", 3 * 10**6))


def borne(amount: str, costs: UsageCosts, **changes: Any) -> dict[Payer, str]:
    found = bearings(shared(**changes), Decimal(amount), costs, "USD")
    return {payer: str(each.amount) for payer, each in found.items()}


@pytest.mark.parametrize(
    ("changes", "amounts"),
    [
        ({}, {("a", "x"): "16.67", ("a", None): "33.33", ("b", "y"): "50.00"}),
        ({"method": "even"}, {("a", "x"): "16.67", ("a", None): "33.33", ("b", "y"): "50.00"}),
        (
            {"method": "fixed", "shares": {"b": "75", "c": "25"}},
            {("b", "y"): "75.00", ("c", None): "25.00"},
        ),
    ],
)
def test_tenants_share_by_the_method_and_codes_by_what_they_pay(
    changes: dict[str, Any], amounts: dict[Payer, str]
) -> None:
    assert borne("100.00", USED, **changes) == amounts


def test_even_shares_follow_tenants_and_not_what_they_pay() -> None:
    costs = paid(("a", "x", 1), ("b", "y", 10**6), ("unallocated", None, 5))
    assert borne("1.01", costs, method="even") == {("a", "x"): "0.51", ("b", "y"): "0.50"}


def test_with_nobody_else_unknown_callers_bear_an_even_share() -> None:
    costs = paid(("unallocated", None, 5))
    assert borne("1.00", costs, method="even") == {("unallocated", None): "1.00"}


@pytest.mark.parametrize("method", ["even", "proportional"])
def test_with_nothing_to_share_it_by_it_is_unallocated(method: str) -> None:
    assert borne("1.00", paid(), method=method) == {("unallocated", None): "1.00"}


def test_shares_are_those_of_the_whole_and_add_up_to_one() -> None:
    found = bearings(shared(), Decimal("100.00"), USED, "USD")
    shares = [each.share for each in found.values()]
    assert shares == [Decimal("0.166666666667"), Decimal("0.333333333333"), Decimal("0.5")]
    assert sum(shares) == 1

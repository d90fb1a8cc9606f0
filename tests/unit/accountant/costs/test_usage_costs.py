from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from accounting import card, money_cell, sku, used

from accountant.costs.usage_costs import UsageCosts
from tollgate.ledger.cells import Usage

A, B = ("contoso", "a"), ("contoso", None)


def test_a_payers_usage_costs_what_is_priced_and_its_part_of_throughput() -> None:
    costs = UsageCosts(card())
    costs.add(money_cell(usage=used(2_000_000)), A)
    costs.add(money_cell(sku=sku(model="gpt-9")), A)
    costs.add_amount(A, Decimal("0.70"))
    costs.add_amount(B, Decimal(1))
    assert costs.by_tenant() == {"contoso": 2}
    assert costs.by_code("contoso") == {A: 1, B: 1}


def test_a_tenant_that_pays_nothing_bears_without_a_code() -> None:
    costs = UsageCosts(card())
    costs.add(money_cell(sku=sku(model="gpt-9")), A)
    assert costs.by_code("contoso") == {B: Fraction(1)}
    assert costs.by_code("nobody") == {("nobody", None): Fraction(1)}


def test_who_had_a_request_is_known_and_unknown_callers_only_if_alone() -> None:
    costs = UsageCosts(card())
    costs.add(money_cell(usage=Usage(0, {})), ("quiet", None))
    costs.add(money_cell(), ("unallocated", None))
    assert costs.tenants() == ["unallocated"]
    costs.add(money_cell(), A)
    assert costs.tenants() == ["contoso"]

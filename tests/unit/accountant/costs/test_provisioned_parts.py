from __future__ import annotations

from fractions import Fraction

import pytest
from accounting import OCTOBER
from costing import ptu

from accountant.costs.payers import Payer
from accountant.costs.provisioned_parts import Part, parts
from accountant.costs.provisioned_rows import ProvisionedRow
from accountant.costs.provisioned_use import Load

A: Payer = ("contoso", "a")
B: Payer = ("fabrikam", None)
NOON, ONE = "2026-10-15T12", "2026-10-15T13"
Hours = dict[str, dict[Payer, Load]]


def found(row: ProvisionedRow, hours: Hours) -> dict[Part, Fraction]:
    """The parts of 24 hours that cost 1 each."""
    return parts(row, OCTOBER, hours, lambda _: Fraction(1))


def test_a_payer_bears_the_used_part_of_the_hour_and_nobody_the_rest() -> None:
    hours = {NOON: {A: Load(1000, 0), B: Load(2000, 0)}}
    assert found(ptu(), hours) == {
        ("used", *A): Fraction(1000, 6000),
        ("used", *B): Fraction(2000, 6000),
        ("idle", "unallocated", None): Fraction(23) + Fraction(1, 2),
    }


def test_an_hour_that_did_more_than_it_can_is_all_used() -> None:
    hours = {NOON: {A: Load(9000, 0), B: Load(3000, 0)}}
    made = found(ptu(), hours)
    assert (made["used", *A], made["used", *B]) == (Fraction(3, 4), Fraction(1, 4))
    assert made["idle", "unallocated", None] == 23


def test_output_counts_as_many_input_tokens_as_the_row_says() -> None:
    made = found(ptu(output_weight="2.5"), {NOON: {A: Load(500, 1000)}})
    assert made["used", *A] == Fraction(3000, 6000)


def test_without_a_capacity_an_hour_of_use_has_no_idle_part() -> None:
    made = found(ptu(input_tokens_per_minute_per_ptu=None), {NOON: {A: Load(1, 0)}})
    assert made == {("used", *A): 1, ("idle", "unallocated", None): 23}


def test_an_hour_of_cached_tokens_alone_is_idle() -> None:
    assert found(ptu(), {NOON: {A: Load(0, 0)}}) == {("idle", "unallocated", None): 24}


def test_idle_parts_go_to_their_owner() -> None:
    row = ptu(idle="owner", idle_tenant="platform", idle_billing_code="P-1")
    assert found(row, {}) == {("idle", "platform", "P-1"): 24}


def test_idle_parts_are_spread_over_the_users_of_the_hour_and_else_of_the_month() -> None:
    hours = {NOON: {A: Load(3000, 0)}, ONE: {A: Load(1000, 0), B: Load(2000, 0)}}
    made = found(ptu(idle="spread"), hours)
    noon, one, others = Fraction(1, 2), Fraction(1, 2), Fraction(22)
    assert made["idle", *A] == noon + one * Fraction(1, 3) + others * Fraction(4000, 6000)
    assert made["idle", *B] == one * Fraction(2, 3) + others * Fraction(2000, 6000)


def test_with_nobody_to_spread_it_over_the_idle_cost_is_unallocated() -> None:
    assert found(ptu(idle="spread"), {}) == {("idle", "unallocated", None): 24}


@pytest.mark.parametrize("policy", ["spread", None])
def test_the_parts_add_up_to_the_cost(policy: str | None) -> None:
    hours = {f"2026-10-15T{hour:02d}": {A: Load(7 * hour, hour), B: Load(13, 0)} for hour in (3, 5)}
    assert sum(found(ptu(idle=policy), hours).values()) == 24

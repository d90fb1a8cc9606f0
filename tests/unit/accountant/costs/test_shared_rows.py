from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from accounting import OCTOBER
from costing import once, shared
from pydantic import ValidationError

from accountant.costs.shared_rows import shared_clashes, written_twice
from tollgate.usage.periods import Month

YEAR: dict[str, Any] = {
    "amount_per_month": None,
    "amount": "100.00",
    "effective_from": date(2026, 1, 1),
    "effective_to": date(2027, 1, 1),
}


def test_a_part_of_a_month_costs_its_days() -> None:
    assert shared("31").amount_in(OCTOBER) == 31
    assert shared("31", effective_from=date(2026, 10, 22)).amount_in(OCTOBER) == 10
    assert shared("1", effective_from=date(2026, 10, 25)).amount_in(OCTOBER) == Fraction(7, 31)
    assert shared("31", effective_from=date(2026, 11, 1)).amount_in(OCTOBER) == 0


def test_the_months_of_an_amount_add_up_to_it_in_whole_cents() -> None:
    months = [shared(**YEAR).amount_in(Month(2026, month)) for month in range(1, 13)]
    assert sum(months) == 100
    assert all((each * 100).denominator == 1 for each in months)
    assert shared(**YEAR).amount_in(Month(2027, 1)) == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"amount": "1"}, "write amount or amount_per_month, and not both"),
        ({"amount_per_month": None}, "write amount or amount_per_month"),
        ({"amount": "1", "amount_per_month": None}, "effective_to must be there"),
        ({"method": "fixed"}, "needs shares"),
        ({"shares": {"contoso": "100"}}, "needs shares"),
        ({"method": "fixed", "shares": {"a": "60", "b": "39.9"}}, "add up to 99.9, not to 100"),
        ({"method": "fixed", "shares": {}}, "add up to 0, not to 100"),
        ({"method": "fixed", "shares": {"a": 100}}, "write per cent as text"),
    ],
)
def test_a_row_says_one_amount_and_shares_all_of_it(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        shared(**changes)


def test_one_cost_is_shared_out_once_a_day() -> None:
    (told,) = shared_clashes([shared(), shared("7"), shared(name="desk")])
    assert "'gateway' is shared out twice from 2026-10-01" in told


def test_what_was_pasted_twice_is_told() -> None:
    rows = [once(), once("11.00"), once(billing_code="a"), once(name="second")]
    (told,) = written_twice(rows)
    assert "'outage' of contoso without a billing code on 2026-10-15" in told


def test_a_credit_is_in_the_month_of_its_day() -> None:
    assert once().is_in(OCTOBER)
    assert not once(day=date(2026, 11, 1)).is_in(OCTOBER)

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from accounting import OCTOBER
from costing import provisioned, ptu
from pydantic import ValidationError

from accountant.costs.provisioned_rows import provisioned_clashes


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"price_per_month": "1"}, "write price_per_ptu_hour or price_per_month, and not both"),
        ({"price_per_ptu_hour": None}, "write price_per_ptu_hour or price_per_month"),
        ({"price_per_ptu_hour": "0"}, "a price is more than 0"),
        ({"reservation": "r-1"}, "a reservation is paid by the month"),
        ({"idle": "owner"}, "needs idle_tenant"),
        ({"idle_tenant": "platform"}, "needs idle_tenant"),
        ({"idle_billing_code": "P-1"}, "idle_billing_code needs idle_tenant"),
    ],
)
def test_a_row_says_one_price_and_who_bears_what_is_idle(
    changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        ptu(**changes)


def test_an_hour_costs_its_units_or_its_part_of_the_month() -> None:
    assert ptu(price_per_ptu_hour="1.25").price_per_hour(OCTOBER) == 125
    by_month = ptu(price_per_ptu_hour=None, price_per_month="1000")
    assert by_month.price_per_hour(OCTOBER) == Fraction(1000, 744)


def test_a_month_is_of_a_reservation() -> None:
    by_month = {"price_per_ptu_hour": None, "price_per_month": "1000"}
    assert ptu().commitment is None
    assert ptu(**by_month).commitment == "ptu-weu"
    assert ptu(**by_month, reservation="r-1").commitment == "r-1"


@pytest.mark.parametrize(
    ("asked", "serves"),
    [
        ({}, True),
        ({"region": "westeurope", "model": "gpt-4o-mini"}, True),
        ({"backend": "neu-1"}, False),
        ({"scope": "global"}, False),
        ({"deployment": "other"}, False),
    ],
)
def test_a_row_serves_what_it_asks_for(asked: dict[str, Any], *, serves: bool) -> None:
    assert ptu(**asked).serves(provisioned()) is serves


def test_what_spilled_over_to_a_standard_deployment_is_not_served_by_it() -> None:
    spilled = msgspec.structs.replace(provisioned(), deployment_type="standard")
    assert not ptu().serves(spilled)


def test_two_rows_that_can_serve_the_same_on_a_day_are_told() -> None:
    rows = [
        ptu(effective_to=None, region="westeurope"),
        ptu(effective_from=date(2026, 10, 20), effective_to=None, backend="weu-1"),
        ptu(effective_from=date(2026, 10, 20), effective_to=None, region="northeurope"),
    ]
    told = provisioned_clashes(rows)
    assert len(told) == 2
    assert all("both serve gpt-4o-ptu from 2026-10-20" in each for each in told)


def test_one_cost_is_paid_in_one_way() -> None:
    monthly = {"price_per_ptu_hour": None, "price_per_month": "9", "deployment": "b"}
    (told,) = provisioned_clashes([ptu(), ptu(**monthly)])
    assert "'ptu-weu' is one cost, by the hour or of one reservation" in told

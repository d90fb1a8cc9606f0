from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

from accounting import OCTOBER, sku
from exporting import owed
from spending import SEPTEMBER, as_of, corrected, cost, fixed

from accountant.charges import Consumption, Uncharged
from accountant.planning.daily_spend import DailySpend, together

FIRST, LATER = date(2026, 10, 1), date(2026, 10, 20)


def spend() -> DailySpend:
    return DailySpend(as_of("2026-10-16"))


def test_usage_is_summed_by_tenant_model_and_day() -> None:
    found = spend()
    for charge in (cost(FIRST, "1"), cost(FIRST, "2"), cost(FIRST, "4", model="o1")):
        found.add(OCTOBER, charge)
    assert found.usage["contoso", "gpt-4o-mini"] == {FIRST: Decimal(3)}
    assert found.tenants() == {"contoso": {FIRST: Decimal(7)}}


def test_usage_of_later_days_is_left_out() -> None:
    found = spend()
    found.add(OCTOBER, cost(LATER, "1"))
    assert found.tenants() == {}


def test_what_is_no_usage_is_a_one_off_of_the_month_that_charges_it() -> None:
    found = spend()
    for charge in (fixed("5"), corrected("1"), owed("-2", category="Credit")):
        found.add(OCTOBER, charge)
    found.add(SEPTEMBER, fixed("7"))
    assert found.one_offs == {(OCTOBER, "contoso"): Decimal(4), (SEPTEMBER, "contoso"): Decimal(7)}
    assert found.tenants() == {"contoso": {}}


def test_rounding_is_in_neither() -> None:
    found = spend()
    found.add(OCTOBER, owed("0.004", category="Rounding"))
    assert found.tenants() == {}


def test_usage_in_no_charge_is_counted_by_why() -> None:
    found = spend()
    consumed = Consumption(sku=sku(), meter="input", quantity=1, requests=1)
    for day in (FIRST, LATER):
        for what in (None, consumed):
            found.add(
                OCTOBER,
                Uncharged(
                    tenant="contoso",
                    billing_code=None,
                    start=day,
                    sku=sku(),
                    requests=1,
                    consumed=what,
                ),
            )
    assert found.left_out == {(OCTOBER, "contoso"): Counter(unpriced=1, uncounted=1)}


def test_series_are_added_by_day() -> None:
    one = {FIRST: Decimal(1)}
    assert together({"a": one, "b": {**one, LATER: Decimal(2)}}) == {
        FIRST: Decimal(2),
        LATER: Decimal(2),
    }

from __future__ import annotations

from datetime import date
from decimal import Decimal

from accounting import OCTOBER, card, money_cell
from costing import fx, once, shared

from accountant.costs.exchange_rates import ExchangeRates
from accountant.costs.owed_charges import once_charges, shared_charges
from accountant.costs.usage_costs import UsageCosts

LATER = date(2026, 10, 16)
EUROS = ExchangeRates([fx("0.9", effective_to=LATER), fx("0.8", effective_from=LATER)], "EUR")
NOBODY = UsageCosts(card())


def test_a_shared_cost_says_how_it_was_shared() -> None:
    row = shared(method="fixed", shares={"a": "60", "b": "40"}, effective_to=LATER)
    found = list(shared_charges([row], OCTOBER, NOBODY, ExchangeRates([], "USD")))
    told = [(each.tenant, each.description, each.amount, each.end) for each in found]
    assert told == [
        ("a", "gateway, fixed share 60%", Decimal("29.03"), LATER),
        ("b", "gateway, fixed share 40%", Decimal("19.36"), LATER),
    ]
    shares = [(each.category, each.allocation and each.allocation.share) for each in found]
    assert shares == [("Purchase", "0.6"), ("Purchase", "0.4")]


def test_a_shared_cost_is_converted_day_by_day_and_rounded_once() -> None:
    (found,) = shared_charges([shared("31.00", method="even")], OCTOBER, NOBODY, EUROS)
    assert found.amount == Decimal("26.30")  # 15 days at 0.90 and 16 at 0.80
    assert found.description == "gateway, evenly"


def test_who_used_more_bears_more() -> None:
    costs = UsageCosts(card())
    costs.add(money_cell(), ("contoso", "a"))
    (found,) = shared_charges([shared()], OCTOBER, costs, ExchangeRates([], "USD"))
    assert (found.billing_code, found.description) == ("a", "gateway, by usage cost")


def test_what_costs_nothing_this_month_is_no_charge() -> None:
    row = shared(effective_from=date(2026, 11, 1))
    assert list(shared_charges([row], OCTOBER, NOBODY, EUROS)) == []


def test_a_credit_takes_off_and_a_charge_adds_by_the_rate_of_the_day() -> None:
    rows = [once("10.01", billing_code="a"), once(day=date(2026, 11, 1))]
    (credit,) = once_charges(rows, "Credit", OCTOBER, EUROS)
    (charge,) = once_charges(rows, "Adjustment", OCTOBER, EUROS)
    assert (credit.amount, charge.amount) == (Decimal("-9.01"), Decimal("9.01"))
    assert (credit.category, charge.category) == ("Credit", "Adjustment")
    assert (credit.tenant, credit.billing_code, credit.description) == ("contoso", "a", "outage")
    assert (credit.start, credit.end) == (date(2026, 10, 15), LATER)

from __future__ import annotations

from decimal import Decimal
from typing import Any

from accounting import OCTOBER, card, sku
from exporting import owed, usage
from spending import fixed, left_out

from accountant.charges import Charge, Consumption, Price, Uncharged
from accountant.planning.economics import Group, MonthUnits, Units, top
from accountant.planning.economics_document import Economics, economics_document
from accountant.planning.sheet_table import document_table


def metered(
    meter: str, quantity: int, price: str, tenant: str = "contoso", **changes: Any
) -> Charge:
    """So much of a meter at a price for a million."""
    amount = Decimal(quantity) * Decimal(price) / 1_000_000
    consumed = Consumption(sku=sku(**changes), meter=meter, quantity=quantity, requests=1)
    rate = Price(listed=Decimal(price), charged=Decimal(price), per=1_000_000)
    return usage(tenant=tenant, amount=amount, effective=amount, consumed=consumed, price=rate)


CALLS = (
    metered("input", 3_000_000, "0.15"),
    metered("cached_input", 1_000_000, "0.075"),
    metered("output", 500_000, "0.60"),
)


def units_of(*charges: Charge | Uncharged, by: tuple[str, ...] = ("tenant",)) -> MonthUnits:
    found = MonthUnits(by, card().rate_for)
    for each in charges:
        found.add(each)
    return found


def document(units: MonthUnits, **changes: Any) -> str:
    made: dict[str, Any] = {
        "month": OCTOBER,
        "currency": "USD",
        "by": ("tenant",),
        "top": 10,
        "units": units,
        "ptu_per_hour": None,
    }
    return document_table(economics_document(Economics(**made | changes)), 80)


def test_unit_costs_are_costs_by_what_was_used() -> None:
    found = units_of(*CALLS)
    found.count_requests({("contoso", "measured"): 40, ("contoso", "injected"): 10})
    units = found.groups["contoso",]
    assert units.cost == Decimal("0.825")
    assert units.cost_per_1000_requests("USD") == Decimal("16.5")
    assert units.cost_per_1m_tokens("USD") == Decimal("0.183333")
    assert units.output_per_input == Decimal("0.1250")
    assert units.cache_hit_percent == 25


def test_cached_tokens_saved_what_they_would_have_cost_more_by_the_list() -> None:
    assert units_of(*CALLS).whole().saved == Decimal("0.075")


def test_a_saving_without_a_price_to_compare_with_is_not_known() -> None:
    found = units_of(metered("cached_audio_input", 7, "1"))
    assert (found.whole().saved, found.whole().unsaved) == (0, 7)
    assert "7 cached tokens have no input price" in document(found)


def test_requests_without_known_usage_are_in_no_denominator() -> None:
    found = units_of(*CALLS)
    found.count_requests(
        {
            ("contoso", "measured"): 2,
            ("contoso", "pending"): 4,
            ("contoso", "unknown"): 8,
            ("contoso", "none"): 16,
            ("fabrikam", "measured"): 32,
        }
    )
    assert (found.requests, found.groups["contoso",].requests) == (2, 2)


def test_requests_are_not_known_by_model() -> None:
    found = units_of(*CALLS, by=("model",))
    found.count_requests({("contoso", "measured"): 2})
    assert found.groups["gpt-4o-mini",].cost_per_1000_requests("USD") is None
    assert found.whole().cost_per_1000_requests("USD") == Decimal("412.5")


def test_what_is_no_token_is_in_the_cost_of_requests_alone() -> None:
    image = usage(
        amount=Decimal(2),
        consumed=Consumption(sku=sku(), meter="images:hd", quantity=1, requests=1),
    )
    units = units_of(image).whole()
    assert (units.cost, units.token_cost, units.cost_per_1m_tokens("USD")) == (2, 0, None)
    assert (units.output_per_input, units.cache_hit_percent) == (None, None)


def test_usage_without_a_billing_code_is_apart() -> None:
    found = units_of(*CALLS, metered("input", 1_000_000, "0.15", "fabrikam"))
    loose = usage(billing_code=None, amount=Decimal("0.1"))
    found.add(loose)
    assert found.unattributed == Decimal("0.1")
    assert "Unattributed: usage of 0.10 (9.3% of usage) has no billing code." in document(found)


def test_usage_and_other_charges_are_the_total() -> None:
    found = units_of(*CALLS, fixed("10"), owed("-1", category="Credit"))
    assert (found.other, found.total) == (9, Decimal("9.825"))
    assert "All charges 9.83 USD: usage 0.83" in document(found)


def test_the_dearest_and_the_others_are_all() -> None:
    groups: dict[Group, Units] = {
        (name,): Units(cost=Decimal(cost), requests=1)
        for name, cost in zip("abc", "131", strict=True)
    }
    dearest, others = top(groups, 1)
    assert [group for group, _ in dearest] == [("b",)]
    assert others == Units(groups=2, cost=Decimal(2), requests=2)
    assert [group for group, _ in top(groups, 9)[0]] == [("b",), ("a",), ("c",)]
    assert top(groups, 3)[1] is None


def test_provisioned_throughput_is_dearer_for_its_idle_hours() -> None:
    tokens = (("input", 3_000_000), ("output", 1_000_000), ("images", 9))
    found = units_of(fixed("30", tokens=tokens), fixed("10", "idle"), fixed("5", "even"), *CALLS)
    ptu = found.provisioned
    assert (ptu.used, ptu.idle, ptu.cost, ptu.tokens) == (30, 10, 40, 4_000_000)
    assert ptu.cost_per_1m_tokens("USD") == 10
    text = document(found)
    assert "\nProvisioned throughput\n" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["30.00", "10.00", "40.00", "75.0%", "4,000,000", "10.0000"] in rows


def test_what_provisioned_throughput_served_is_in_no_other_denominator() -> None:
    found = units_of(*CALLS, fixed("30", tokens=(("input", 1),), requests=7))
    found.count_requests({("contoso", "measured"): 9})
    assert (found.requests, found.whole().tokens) == (2, 4_500_000)


def test_tokens_of_provisioned_deployments_are_no_pay_as_you_go() -> None:
    found = units_of(metered("input", 9, "1", deployment_type="provisioned"))
    assert found.models == {}
    assert found.whole().tokens == 9


def test_the_break_even_is_where_a_ptu_costs_what_its_tokens_do() -> None:
    """744 hours at 1.00 are 744.00; 4.5 million tokens cost 0.825, so 744.00 buys 4,058,181,819."""
    text = document(units_of(*CALLS), ptu_per_hour=Decimal("1.00"))
    assert "Break-even: a PTU at 1.00 USD an hour costs 744.00 in 744 hours" in text
    assert "4,058,181,819" in text


def test_what_is_free_has_no_break_even() -> None:
    text = document(units_of(metered("input", 9, "0")), ptu_per_hour=Decimal(1))
    assert text.count("none") >= 1


def test_what_is_missing_is_said() -> None:
    text = document(units_of(*CALLS, left_out(), left_out(None)))
    assert "contoso 1 uncounted and\n1 unpriced" in text
    assert "is not known: the ledger does\nnot count it." in text

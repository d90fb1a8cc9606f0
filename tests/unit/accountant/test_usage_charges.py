from __future__ import annotations

from datetime import date
from decimal import Decimal

from accounting import OCTOBER, card, money_cell, rate, sku, used
from exporting import owed

from accountant.charges import Charge, Uncharged
from accountant.usage_charges import month_charges
from tollgate.ledger.cells import MoneyCell, Usage


def charges(*cells: MoneyCell) -> list[Charge | Uncharged]:
    return list(month_charges(OCTOBER, cells, card()))


def test_the_hours_of_a_day_are_one_charge() -> None:
    hours = [money_cell(hour=f"2026-10-15T{hour}") for hour in ("00", "23")]
    charge, _ = charges(*hours, money_cell(hour="2026-10-16T00"))[:2]
    assert isinstance(charge, Charge)
    assert (charge.start, charge.end) == (date(2026, 10, 15), date(2026, 10, 16))
    assert charge.consumed is not None
    assert (charge.consumed.quantity, charge.consumed.requests) == (2000, 2)
    assert charge.amount == Decimal("0.0003")


def test_the_last_charge_of_a_tenant_rounds_its_statement() -> None:
    found = charges(money_cell(usage=used(40_000)), money_cell(tenant="fabrikam"))
    told = [(each.tenant, each.category, each.amount) for each in found if isinstance(each, Charge)]
    assert told == [
        ("contoso", "Usage", Decimal("0.006")),
        ("contoso", "Rounding", Decimal("0.004")),
        ("fabrikam", "Usage", Decimal("0.00015")),
        ("fabrikam", "Rounding", Decimal("-0.00015")),
    ]


def test_an_exact_statement_has_no_rounding() -> None:
    assert len(charges(money_cell(usage=used(1_000_000)))) == 1


def test_usage_without_a_rate_is_in_no_charge() -> None:
    (found,) = charges(money_cell(sku=sku(model="gpt-9")))
    assert isinstance(found, Uncharged)
    assert found.consumed is not None
    assert (found.consumed.quantity, found.requests) == (1000, 1)


def test_usage_that_is_not_known_is_in_no_charge() -> None:
    (found,) = charges(money_cell(sku=sku(provenance="pending"), usage=Usage(2, {})))
    assert isinstance(found, Uncharged)
    assert (found.consumed, found.requests) == (None, 2)


def test_codes_come_by_name_and_what_has_none_last() -> None:
    cells = [money_cell(billing_code=code) for code in (None, "b", "a")]
    assert [each.billing_code for each in charges(*cells)[:3]] == ["a", "b", None]


def test_a_day_has_the_price_of_its_day() -> None:
    dated = card(
        rate("0.15", effective_to=date(2026, 10, 16)),
        rate("0.12", effective_from=date(2026, 10, 16)),
    )
    cells = [money_cell(hour=hour) for hour in ("2026-10-15T23", "2026-10-16T00")]
    found = [each for each in month_charges(OCTOBER, cells, dated) if isinstance(each, Charge)]
    prices = [each.price.charged for each in found if each.price]
    assert prices == [Decimal("0.15"), Decimal("0.12")]


def test_words_say_what_and_where_and_how_it_is_known() -> None:
    found = charges(
        money_cell(usage=used(meter="cached_input")),
        money_cell(sku=sku(provenance="estimated", scope=None, deployment_type=None)),
    )
    assert [each.description for each in found[:2] if isinstance(each, Charge)] == [
        "gpt-4o-mini cached input tokens, regional standard",
        "gpt-4o-mini input tokens, estimated",
    ]


def test_what_is_owed_beside_usage_stands_behind_it_and_is_rounded_with_it() -> None:
    entries = {name: [owed("0.003", tenant=name)] for name in ("zeta", "contoso", "adatum")}
    cells = [money_cell(usage=used(10_000)), money_cell(tenant="fabrikam", usage=used(10_000_000))]
    found = [
        (each.tenant, each.category, str(each.amount))
        for each in month_charges(OCTOBER, cells, card(), entries)
        if isinstance(each, Charge)
    ]
    assert [(tenant, amount) for tenant, _, amount in found] == [
        ("adatum", "0.003"),
        ("adatum", "-0.003"),
        ("contoso", "0.0015"),
        ("contoso", "0.003"),
        ("contoso", "-0.0045"),
        ("fabrikam", "1.50"),
        ("zeta", "0.003"),
        ("zeta", "-0.003"),
    ]

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from accounting import OCTOBER, money_cell, sku
from accounting import card as a_card
from exporting import BOOKS, focus_csv, owed, usage

from accountant.charges import Charge, Consumption, Correction, Price, Uncharged
from accountant.edition import Edition
from accountant.errors import NoStatementNumber
from accountant.exports.books import Books
from accountant.exports.focus import uncharged_header, uncharged_row
from accountant.exports.focus_columns import FocusVersion
from accountant.rate_cards.price_rules import Adjustment
from accountant.rate_cards.rate_card import Exchange
from accountant.usage_charges import month_charges
from tollgate.ledger.cells import OVERFLOW, Usage

LATE = Correction(month="2026-09", statement="2026-09-0001", line=1, reason="usage")


def rows(*charges: Charge, version: FocusVersion = "1.2") -> list[dict[str, str]]:
    return list(csv.DictReader(focus_csv(charges, version).splitlines()))


def row(version: FocusVersion = "1.2", **changes: Any) -> dict[str, str]:
    return rows(usage(**changes), version=version)[0]


def left_out(found: Uncharged) -> dict[str, str]:
    (told,) = csv.DictReader((uncharged_header() + uncharged_row(found, BOOKS)).splitlines())
    return told


def test_price_times_quantity_is_the_cost_unrounded() -> None:
    found = row(quantity=1)
    assert (found["PricingQuantity"], found["PricingUnit"]) == ("0.000001", "1000000 Tokens")
    for kind in ("List", "Contracted"):
        assert (found[f"{kind}UnitPrice"], found[f"{kind}Cost"]) == ("0.15", "0.00000015")
    assert (found["BilledCost"], found["EffectiveCost"]) == ("0.00000015", "0.00000015")


def test_periods_are_instants_of_utc() -> None:
    found = row()
    assert (found["BillingPeriodStart"], found["BillingPeriodEnd"]) == (
        "2026-10-01T00:00:00Z",
        "2026-11-01T00:00:00Z",
    )
    assert (found["ChargePeriodStart"], found["ChargePeriodEnd"]) == (
        "2026-10-15T00:00:00Z",
        "2026-10-16T00:00:00Z",
    )


def test_whole_numbers_have_a_point() -> None:
    assert (row()["ConsumedQuantity"], row()["ConsumedUnit"]) == ("1000.0", "Tokens")


def test_the_tenant_is_the_sub_account_and_the_code_a_tag() -> None:
    found = row(billing_code="=CC-9")
    assert (found["SubAccountId"], found["SubAccountName"]) == ("tenant/contoso", "contoso")
    assert json.loads(found["Tags"]) == {"tenant": "contoso", "billing_code": "=CC-9"}
    assert found["x_BillingCode"] == "'=CC-9"


def test_unallocated_and_overflow_are_told_apart() -> None:
    assert json.loads(row(billing_code=None)["Tags"]) == {"tenant": "contoso"}
    found = row(billing_code=OVERFLOW)
    assert found["x_BillingCode"] == "(overflow)"
    assert json.loads(found["Tags"])["overflow"] == "true"
    assert "overflow" not in json.loads(row(billing_code="(overflow)")["Tags"])


@pytest.mark.parametrize("name", ["1001", "007", "1e5", "1.5", "NA", "null", "None", "TRUE"])
def test_a_name_that_would_be_read_as_a_number_or_as_nothing_stays_text(name: str) -> None:
    assert row(tenant=name)["SubAccountName"] == f"'{name}"


def test_the_price_id_says_all_that_a_rate_depends_on() -> None:
    assert row()["SkuId"] == "gpt-4o-mini/2024-07-18/standard/regional/input"
    assert row()["SkuPriceId"] == (
        "gpt-4o-mini/2024-07-18/standard/regional/westeurope/default/0-32000/measured/input"
    )


def test_what_is_not_known_of_a_sku_is_left_empty() -> None:
    bare = sku(model="a/b", model_version=None, deployment=None, region=None, scope=None)
    found = row(consumed=Consumption(sku=bare, meter="input", quantity=1, requests=1))
    assert found["SkuId"] == "a%2Fb//standard//input"
    assert (found["ResourceId"], found["ResourceType"], found["RegionId"]) == ("", "", "")


@pytest.mark.parametrize(
    ("meter", "name", "details"),
    [
        ("input", "Input Tokens", ("Input", "Uncached")),
        ("cached_audio_input", "Cached Audio Input Tokens", ("Input", "Read")),
        ("cache_write_input", "Cache Write Input Tokens", ("Input", "Write")),
        ("output", "Output Tokens", ("Output", None)),
        ("images:1024x1024:hd", "Images 1024x1024 Hd", (None, None)),
    ],
)
def test_a_meter_is_named_and_its_tokens_have_a_direction(
    meter: str, name: str, details: tuple[str | None, str | None]
) -> None:
    found = row(consumed=Consumption(sku=sku(), meter=meter, quantity=1, requests=1))
    told = json.loads(found["SkuPriceDetails"])
    assert found["SkuMeter"] == name
    assert (told.get("x_TokenDirection"), told.get("x_TokenCacheAction")) == details


def test_an_amount_by_itself_has_no_price_and_costs_the_same_everywhere() -> None:
    (found,) = rows(owed("-12.5", category="Credit"))
    costs = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
    assert {found[name] for name in costs} == {"-12.5"}
    nothing = ("ListUnitPrice", "PricingQuantity", "PricingUnit", "SkuId", "ConsumedQuantity")
    assert {found[name] for name in nothing} == {""}
    assert (found["ChargeCategory"], found["ChargeFrequency"]) == ("Credit", "One-Time")


def test_a_correction_is_of_its_class() -> None:
    assert (row(correction=LATE)["ChargeClass"], row()["ChargeClass"]) == ("Correction", "")


def test_a_correction_says_what_it_corrects_and_when_it_was() -> None:
    found = row(correction=LATE, start=date(2026, 9, 30), end=date(2026, 10, 1))
    assert found["BillingPeriodStart"] == "2026-10-01T00:00:00Z"
    assert found["ChargePeriodStart"] == "2026-09-30T00:00:00Z"
    names = ("CorrectedPeriod", "CorrectedInvoiceId", "CorrectedLine", "CorrectionReason")
    assert [found[f"x_{name}"] for name in names] == ["2026-09", "2026-09-0001", "1.0", "usage"]


def test_a_correction_has_a_price_only_if_its_cost_is_made_of_it() -> None:
    late, difference = row(correction=LATE), row(correction=LATE, amount=Decimal("0.01"))
    assert (late["ContractedUnitPrice"], late["PricingQuantity"]) == ("0.15", "0.001")
    assert (difference["ContractedUnitPrice"], difference["PricingQuantity"]) == ("", "")
    costs = ("BilledCost", "ListCost", "ContractedCost")
    assert {difference[name] for name in costs} == {"0.01"}
    assert difference["SkuId"] == late["SkuId"]


@pytest.mark.parametrize(("version", "name"), [("1.0", "x_InvoiceId"), ("1.2", "InvoiceId")])
def test_a_closed_month_has_the_numbers_of_its_statements(version: FocusVersion, name: str) -> None:
    closed = Edition(status="closed", rate_card="v1", numbers={"contoso": "S-1"})
    told: list[tuple[str, ...]] = []
    for edition in (Edition(rate_card="v1"), closed):
        books = Books(period=OCTOBER, currency="USD", edition=edition)
        (found,) = csv.DictReader(focus_csv([usage()], version, books).splitlines())
        told.append((found[name], found["x_Status"], found["x_RateCardVersion"]))
    assert told == [("", "draft", "v1"), ("S-1", "closed", "v1")]


def test_a_closed_month_without_a_number_for_a_tenant_is_refused() -> None:
    closed = Edition(status="closed", numbers={"contoso": "S-1"})
    books = Books(period=OCTOBER, currency="USD", edition=closed)
    with pytest.raises(NoStatementNumber, match="'fabrikam'"):
        focus_csv([usage(tenant="fabrikam")], books=books)


def test_a_converted_price_is_also_told_in_the_currency_of_the_rate_card() -> None:
    half = Adjustment(kind="discount", name="EA", percent=Decimal(50))
    price = Price(
        listed=Decimal("0.18"),
        charged=Decimal("0.09"),
        per=1_000_000,
        adjustments=(half,),
        exchange=Exchange(
            currency="EUR", unit_price=Decimal("0.15"), rate=Decimal("1.2"), source="ECB"
        ),
    )
    found = row(price=price)
    assert (found["BillingCurrency"], found["PricingCurrency"]) == ("USD", "EUR")
    names = ("ListUnitPrice", "ContractedUnitPrice", "EffectiveCost")
    assert [found[f"PricingCurrency{name}"] for name in names] == ["0.15", "0.075", "0.000075"]


def test_a_purchase_consumes_nothing() -> None:
    found = row(category="Purchase", effective=Decimal(0))
    assert (found["ConsumedQuantity"], found["ConsumedUnit"]) == ("", "")
    assert (found["BilledCost"], found["EffectiveCost"]) == ("0.00015", "0.0")


def test_the_first_version_has_the_names_of_the_specification_and_of_its_validator() -> None:
    found = row("1.0")
    assert found["PublisherName"] == found["Publisher"] == "Microsoft"
    assert found["InvoiceIssuerName"] == found["InvoiceIssuer"] == "Tollgate"
    assert found["ProviderName"] == found["Provider"] == "Tollgate"
    assert found["ResourceId"] == found["ResourceID"] == "deployments/weu-1/gpt-4o-mini"
    assert "SkuMeter" not in found
    assert "Provider" not in row("1.2")


def test_usage_in_no_row_is_told_with_why() -> None:
    pending = money_cell(billing_code=None, sku=sku(provenance="pending"), usage=Usage(2, {}))
    found = [*month_charges(OCTOBER, [money_cell(sku=sku(model="gpt-9")), pending], a_card())]
    told = [left_out(each) for each in found if isinstance(each, Uncharged)]
    assert [(each["status"], each["meter"], each["quantity"]) for each in told] == [
        ("unpriced", "input", "1000"),
        ("uncounted", "", ""),
    ]
    assert (told[0]["model"], told[0]["billing_code"]) == ("gpt-9", "CC-1001")

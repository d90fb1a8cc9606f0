from __future__ import annotations

import csv
import json
from decimal import Decimal

import pytest
from exporting import focus_csv, owed, part

from accountant.charges import Charge, Correction, SplitMethod

RESERVED = {"commitment": "/reservationOrders/1"}
TOKENS = {"tokens": (("input", 900), ("output", 100)), "requests": 7}


def rows(charge: Charge) -> list[dict[str, str]]:
    return list(csv.DictReader(focus_csv([charge], "1.2").splitlines()))


def row(charge: Charge) -> dict[str, str]:
    (found,) = rows(charge)
    return found


def told(found: dict[str, str], *names: str) -> list[str]:
    return [found[name] for name in names]


def test_provisioned_throughput_is_usage_of_the_tokens_that_it_served() -> None:
    found = row(part("33.34", shared=TOKENS))
    assert told(found, "ChargeCategory", "PricingCategory") == ["Usage", "Standard"]
    assert told(found, "ConsumedQuantity", "ConsumedUnit") == ["1000.0", "Tokens"]
    assert told(found, "SkuId", "SkuPriceId", "SkuMeter") == [
        "provisioned/ptu-weu",
        "provisioned/ptu-weu",
        "Provisioned Throughput",
    ]


def test_its_quantity_is_the_share_and_its_price_the_whole() -> None:
    found = row(part("33.34"))
    assert told(found, "PricingQuantity", "PricingUnit") == ["0.333333333333", "Shares"]
    for kind in ("List", "Contracted"):
        assert told(found, f"{kind}UnitPrice", f"{kind}Cost") == ["100.0", "33.3333333333"]
    assert told(found, "BilledCost", "EffectiveCost") == ["33.34", "33.34"]


def test_a_shared_credit_is_a_negative_share_at_a_price_that_is_not() -> None:
    found = row(part("-33.34", "even", {"whole": Decimal(-100)}))
    assert told(found, "PricingQuantity", "ContractedUnitPrice", "ContractedCost") == [
        "-0.333333333333",
        "100.0",
        "-33.3333333333",
    ]


def test_what_nobody_used_without_a_reservation_is_usage_of_nothing() -> None:
    found = row(part("33.34", "idle"))
    assert told(found, "ChargeCategory", "ConsumedQuantity") == ["Usage", "0.0"]
    assert told(found, "CommitmentDiscountStatus", "CommitmentDiscountId") == ["", ""]


@pytest.mark.parametrize("method", ["proportional", "even", "fixed"])
def test_a_shared_platform_cost_is_usage_of_a_share_that_comes_again(method: SplitMethod) -> None:
    found = row(part("33.34", method, {"cost": "redis"}, category="Purchase"))
    assert told(found, "ChargeCategory", "ChargeFrequency") == ["Usage", "Recurring"]
    assert told(found, "PricingCategory", "SkuId") == ["Other", "shared/redis"]
    assert told(found, "ConsumedQuantity", "ConsumedUnit") == ["0.333333333333", "Shares"]
    assert found["x_AllocatedMethodId"] == method


@pytest.mark.parametrize(
    ("method", "status", "consumed", "resource"),
    [
        ("used", "Used", "1000.0", ""),
        ("idle", "Unused", "", "/reservationOrders/1"),
    ],
)
def test_what_a_reservation_covers_is_billed_in_one_row_and_used_in_another(
    method: SplitMethod, status: str, consumed: str, resource: str
) -> None:
    bought, used = rows(part("33.34", method, {**RESERVED, **TOKENS}))
    costs = ("BilledCost", "EffectiveCost")
    assert (told(bought, *costs), told(used, *costs)) == (["33.34", "0.0"], ["0.0", "33.34"])
    names = ("ChargeCategory", "PricingCategory", "ChargeFrequency", "CommitmentDiscountStatus")
    assert told(bought, *names) == ["Purchase", "Standard", "Recurring", ""]
    assert told(used, *names) == ["Usage", "Committed", "Usage-Based", status]
    assert told(used, "ConsumedQuantity", "ResourceId") == [consumed, resource]
    for each in (bought, used):
        names = ("CommitmentDiscountId", "CommitmentDiscountQuantity", "CommitmentDiscountUnit")
        assert told(each, *names) == ["/reservationOrders/1", "0.333333333333", "Shares"]


def test_a_fee_and_its_use_that_are_told_apart_already_stay_so() -> None:
    fee = part("33.34", shared=RESERVED, category="Purchase", effective=Decimal(0))
    assert told(row(fee), "ChargeCategory", "BilledCost", "EffectiveCost") == [
        "Purchase",
        "33.34",
        "0.0",
    ]


def test_how_it_was_shared_out_has_the_shape_of_focus_1_3() -> None:
    ratio = {"AllocatedRatio": 0.333333333333}
    found = [row(part("33.34", shared=each)) for each in ({}, TOKENS)]
    assert [json.loads(each["x_AllocatedMethodDetails"]) for each in found] == [
        {"Elements": [ratio]},
        {"Elements": [{**ratio, "UsageUnit": "Tokens", "UsageQuantity": 1000}]},
    ]
    assert {each["x_AllocatedMethodId"] for each in found} == {"used"}
    assert told(row(owed("1", category="Credit")), "x_AllocatedMethodId") == [""]


def test_a_credit_that_was_shared_out_stays_a_credit() -> None:
    assert row(part("-1", "even", category="Credit"))["ChargeCategory"] == "Credit"


def test_a_corrected_part_has_no_price() -> None:
    late = Correction(month="2026-09", statement="S-9", line=3, reason="cost")
    found = row(part("-0.50", correction=late))
    assert told(found, "ChargeClass", "ContractedUnitPrice", "PricingQuantity") == [
        "Correction",
        "",
        "",
    ]
    assert told(found, "BilledCost", "ContractedCost", "ListCost") == ["-0.5", "-0.5", "-0.5"]

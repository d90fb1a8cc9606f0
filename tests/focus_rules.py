"""The conditional rules of FOCUS 1.2 for one row: what is null, what makes which cost.

Source: FOCUS 1.2, the requirements of each column, https://focus.finops.org. The validator of 1.0
checks none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from accountant.money import EXACT

PRICED = (
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ListUnitPrice",
    "ContractedUnitPrice",
    "SkuId",
    "SkuPriceId",
)
COMMITMENT = (
    "CommitmentDiscountCategory",
    "CommitmentDiscountType",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountUnit",
)


def broken_rules(row: Mapping[str, str]) -> list[str]:
    """Every rule that a row of 1.2 breaks."""
    return [*_nulls(row), *_costs(row), *_commitment(row)]


def _nulls(row: Mapping[str, str]) -> Iterator[str]:
    category, correction = row["ChargeCategory"], row["ChargeClass"] == "Correction"
    if category in {"Usage", "Purchase"} and not correction:
        yield from (f"{name} is null" for name in PRICED if not row[name])
    if category != "Usage" or row["CommitmentDiscountStatus"] == "Unused":
        if row["ConsumedQuantity"]:
            yield "ConsumedQuantity is not null"
    elif not (row["ConsumedQuantity"] or correction):
        yield "ConsumedQuantity is null"
    for one, other in (
        ("ConsumedQuantity", "ConsumedUnit"),
        ("PricingQuantity", "PricingUnit"),
        ("CommitmentDiscountQuantity", "CommitmentDiscountUnit"),
        ("SkuId", "SkuMeter"),
        ("ResourceId", "ResourceName"),
        ("ResourceId", "ResourceType"),
    ):
        if bool(row[one]) != bool(row[other]):
            yield f"of {one} and {other} one is null"
    if category == "Purchase" and row["ChargeFrequency"] == "Usage-Based":
        yield "a purchase is not usage-based"


def _costs(row: Mapping[str, str]) -> Iterator[str]:
    for kind in ("List", "Contracted"):
        cost, price = Decimal(row[f"{kind}Cost"]), row[f"{kind}UnitPrice"]
        made = price and EXACT.multiply(Decimal(price), Decimal(row["PricingQuantity"]))
        if price and (made != cost or Decimal(price) < 0):
            yield f"{kind}Cost is not quantity times price"
        if not price and cost != Decimal(row["BilledCost"]) and not row["CommitmentDiscountId"]:
            yield f"{kind}Cost is not BilledCost"
    effective = Decimal(row["EffectiveCost"])
    if row["ChargeCategory"] == "Purchase" and effective:
        yield "a purchase has an effective cost"
    if row["ChargeCategory"] in {"Credit", "Adjustment"} and effective != Decimal(
        row["BilledCost"]
    ):
        yield "EffectiveCost is not BilledCost"


def _commitment(row: Mapping[str, str]) -> Iterator[str]:
    if not row["CommitmentDiscountId"]:
        named = (*COMMITMENT, "CommitmentDiscountName", "CommitmentDiscountStatus")
        yield from (f"{name} is not null" for name in named if row[name])
        if row["PricingCategory"] == "Committed":
            yield "Committed without a commitment"
        return
    needed = COMMITMENT[:2] if row["ChargeClass"] else COMMITMENT
    yield from (f"{name} is null" for name in needed if not row[name])
    usage = row["ChargeCategory"] == "Usage"
    if bool(row["CommitmentDiscountStatus"]) != usage:
        yield "CommitmentDiscountStatus is for usage"
    if usage and Decimal(row["BilledCost"]):
        yield "what a commitment covers is billed"
    if usage and row["PricingCategory"] not in {"Committed", ""}:
        yield "PricingCategory is not Committed"
    paid_for = not usage or row["CommitmentDiscountStatus"] == "Unused"
    if paid_for and row["ResourceId"] != row["CommitmentDiscountId"]:
        yield "ResourceId is not the commitment"

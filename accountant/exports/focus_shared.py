"""What FOCUS says of a part of an amount that was shared out.

Source: FOCUS 1.2, the columns ChargeCategory, PricingCategory, EffectiveCost and ConsumedQuantity,
and the attribute Discount Handling, https://focus.finops.org.

- A part is `Usage`, as what it is a part of is at the provider: units of capacity over a period of
  time. A `Purchase` is acquired for later use, so its effective cost has to be 0; an `Adjustment`
  is only what is none of the other categories. Neither holds of throughput by the hour or of a
  gateway that ran all month.
- What was consumed is what the part was worked out by: the tokens that provisioned throughput
  served, none where it was idle; of other costs, the share.
- What a reservation covers is told twice, as the specification asks: a `Purchase` that is billed
  and has no effective cost, and `Usage` that has the effective cost and is billed 0, which is
  `Used` or `Unused`. So per reservation, what is billed is what is effective.
- The quantity is the share, the unit price the whole, and so the contracted cost is the part
  before it was rounded; what is billed is the part in whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from accountant.charges import Allocation, Charge
from accountant.exports.focus_columns import Cell
from accountant.exports.focus_sku import json_cell, named_id
from accountant.money import EXACT, ZERO

PROVISIONED: Final = frozenset({"used", "idle"})
_UNIT: Final = "Shares"
_TOKENS: Final = "Tokens"
_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def sides(charge: Charge) -> list[Charge]:
    """A charge as its rows are: what a reservation covers is bought in one and used in another."""
    allocation = charge.allocation
    if allocation is None or charge.category not in {"Usage", "Purchase"}:
        return [charge]
    if allocation.commitment is None or charge.amount != charge.effective:
        fee = allocation.commitment is not None and charge.category == "Purchase"
        return [charge if fee else msgspec.structs.replace(charge, category="Usage")]
    return [
        msgspec.structs.replace(charge, category="Purchase", effective=ZERO),
        msgspec.structs.replace(charge, category="Usage", amount=ZERO),
    ]


def shared_cells(charge: Charge, allocation: Allocation) -> Mapping[str, Cell]:
    """How the part came to be, and what it is a part of."""
    return {
        **_sku(allocation),
        **(_commitment(charge, allocation) if allocation.commitment else {}),
        **({} if charge.correction else _quantities(charge, allocation)),
        "x_AllocatedMethodId": allocation.method,
        "x_AllocatedMethodDetails": _details(allocation),
    }


def _sku(allocation: Allocation) -> Mapping[str, Cell]:
    provisioned = allocation.method in PROVISIONED
    sku = named_id("provisioned" if provisioned else "shared", allocation.cost)
    return {
        "SkuId": sku,
        "SkuPriceId": sku,
        "SkuMeter": "Provisioned Throughput" if provisioned else "Shared Cost",
        "SkuPriceDetails": json_cell({"x_SharedCost": allocation.cost}),
    }


def _quantities(charge: Charge, allocation: Allocation) -> Mapping[str, Cell]:
    """The share at the price of the whole; a price is never negative, so the share of it is."""
    share = Decimal(allocation.share)
    price, quantity = abs(allocation.whole), share if allocation.whole >= 0 else -share
    cost = EXACT.multiply(quantity, price)
    cells: dict[str, Cell] = {
        "ContractedCost": cost,
        "ContractedUnitPrice": price,
        "PricingCurrencyContractedUnitPrice": price,
        "ListCost": cost,
        "ListUnitPrice": price,
        "PricingCurrencyListUnitPrice": price,
        "PricingCategory": _pricing(charge, allocation),
        "PricingQuantity": quantity,
        "PricingUnit": _UNIT,
    }
    if allocation.commitment:
        cells |= {"CommitmentDiscountQuantity": share, "CommitmentDiscountUnit": _UNIT}
    if charge.category == "Usage" and not _unused(allocation):
        cells |= _consumed(allocation, quantity)
    return cells


def _consumed(allocation: Allocation, share: Decimal) -> Mapping[str, Cell]:
    if allocation.method not in PROVISIONED:
        return {"ConsumedQuantity": share, "ConsumedUnit": _UNIT}
    return {"ConsumedQuantity": Decimal(_tokens(allocation)), "ConsumedUnit": _TOKENS}


def _pricing(charge: Charge, allocation: Allocation) -> str:
    if allocation.commitment:
        return "Committed" if charge.category == "Usage" else "Standard"
    return "Standard" if allocation.method in PROVISIONED else "Other"


def _commitment(charge: Charge, allocation: Allocation) -> Mapping[str, Cell]:
    """The reservation, which is also the resource of its purchase and of what nobody used."""
    cells: dict[str, Cell] = {
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountId": allocation.commitment,
        "CommitmentDiscountName": allocation.cost,
        "CommitmentDiscountType": "Reservation",
    }
    if charge.category == "Usage":
        cells["CommitmentDiscountStatus"] = "Unused" if _unused(allocation) else "Used"
    if charge.category == "Purchase" or _unused(allocation):
        cells |= {
            "ResourceId": allocation.commitment,
            "ResourceName": allocation.cost,
            "ResourceType": "Reservation",
        }
    return cells


def _unused(allocation: Allocation) -> bool:
    return allocation.commitment is not None and allocation.method == "idle"


def _tokens(allocation: Allocation) -> int:
    """How many it served; nobody used what is idle."""
    return sum(count for _, count in allocation.tokens)


def _details(allocation: Allocation) -> str:
    """The share as FOCUS 1.3 tells it, with what it was worked out by if that was counted."""
    element: dict[str, object] = {"AllocatedRatio": Decimal(allocation.share)}
    if allocation.tokens:
        element |= {"UsageUnit": _TOKENS, "UsageQuantity": _tokens(allocation)}
    return _JSON.encode({"Elements": [element]}).decode()

"""The columns of FOCUS and what each says of a charge.

Sources: the FinOps Open Cost and Usage Specification 1.0 and 1.2, https://focus.finops.org. A row
of 1.0 has the specification's names, and five more by which focus-validator 1.0.0 asks for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from accountant.charges import Charge, Consumption
from accountant.csv_text import OVERFLOW_CELL
from accountant.money import EXACT, amount_of
from accountant.rate_cards.rate_card import MATCH_FIELDS, matched_values
from tollgate.ledger.cells import OVERFLOW
from tollgate.usage.periods import Month

FocusVersion = Literal["1.0", "1.2"]
Cell = str | Decimal | date | None

PUBLISHER: Final = "Microsoft"
_BOTH: Final = [
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
]
_VALIDATOR_NAMES: Final = {
    "ChargeType": "ChargeCategory",
    "InvoiceIssuer": "InvoiceIssuerName",
    "Provider": "ProviderName",
    "Publisher": "PublisherName",
    "ResourceID": "ResourceId",
}
_SINCE_1_2: Final = [
    "BillingAccountType",
    "InvoiceId",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "ServiceSubcategory",
    "SkuMeter",
    "SkuPriceDetails",
    "SubAccountType",
]
_OURS: Final = ("x_BillingCode", "x_Provenance", "x_RequestCount", "x_Tenant")
COLUMNS: Final[dict[FocusVersion, tuple[str, ...]]] = {
    "1.0": (*sorted([*_BOTH, *_VALIDATOR_NAMES]), *_OURS),
    "1.2": (*sorted([*_BOTH, *_SINCE_1_2]), *_OURS),
}


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """What all rows of an export share.

    Args:
        period: The month that is billed.
        currency: ISO 4217.
        account: The id of the billing account, which is also its name.
        issuer: Who provides the service to the tenants and issues their statements: one name, as
            FOCUS has no cost in a row whose provider is not its issuer. It is told apart from
            the publisher, whose own bill may stand in the same table.
    """

    period: Month
    currency: str
    account: str = "chargeback"
    issuer: str = "Tollgate"


def focus_cells(charge: Charge, books: Books) -> dict[str, Cell]:
    """Every column of every version by name; a name that is absent is null."""
    cells: dict[str, Cell] = {
        **_booked(charge, books),
        **_costs(charge),
        **(_sku(charge.consumed) if charge.consumed else {}),
        **_payer(charge),
    }
    if charge.consumed and charge.category == "Usage":
        cells["ConsumedQuantity"] = Decimal(charge.consumed.quantity)
        cells["ConsumedUnit"] = _unit(charge.consumed, 1)
    return cells | {name: cells.get(same) for name, same in _VALIDATOR_NAMES.items()}


def _booked(charge: Charge, books: Books) -> Mapping[str, Cell]:
    return {
        "BillingAccountId": books.account,
        "BillingAccountName": books.account,
        "BillingAccountType": "Chargeback",
        "BillingCurrency": books.currency,
        "BillingPeriodStart": books.period.start.date(),
        "BillingPeriodEnd": books.period.end.date(),
        "ChargePeriodStart": charge.start,
        "ChargePeriodEnd": charge.end,
        "ChargeCategory": "Adjustment" if charge.category == "Rounding" else charge.category,
        "ChargeClass": "Correction" if charge.correction else None,
        "ChargeDescription": charge.description,
        "ChargeFrequency": "Usage-Based" if charge.category == "Usage" else "One-Time",
        "InvoiceIssuerName": books.issuer,
        "PricingCurrency": books.currency,
        "ProviderName": books.issuer,
        "PublisherName": PUBLISHER,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Azure OpenAI",
        "ServiceSubcategory": "Generative AI",
    }


def _costs(charge: Charge) -> Mapping[str, Cell]:
    """Costs, exact, so that price times quantity is the cost; the rounding is a row of its own."""
    price, consumed = charge.price, charge.consumed
    cells: dict[str, Cell] = {
        "BilledCost": charge.amount,
        "EffectiveCost": charge.effective,
        "PricingCurrencyEffectiveCost": charge.effective,
        "ContractedCost": charge.amount,
        "ListCost": charge.amount,
    }
    if price and consumed:
        quantity = EXACT.divide(Decimal(consumed.quantity), Decimal(price.per))
        cells |= {
            "PricingCategory": "Standard",
            "ContractedCost": amount_of(consumed.quantity, price.charged, price.per),
            "ContractedUnitPrice": price.charged,
            "PricingCurrencyContractedUnitPrice": price.charged,
            "ListCost": amount_of(consumed.quantity, price.listed, price.per),
            "ListUnitPrice": price.listed,
            "PricingCurrencyListUnitPrice": price.listed,
            "PricingQuantity": quantity,
            "PricingUnit": _unit(consumed, price.per),
        }
    return cells


def _sku(consumed: Consumption) -> Mapping[str, Cell]:
    sku = consumed.sku
    place = (sku.backend, sku.deployment)
    return {
        "RegionId": sku.region,
        "RegionName": sku.region,
        "ResourceId": _id("deployments", *place) if sku.deployment else None,
        "ResourceName": sku.deployment,
        "ResourceType": "Model deployment" if sku.deployment else None,
        "SkuId": _id(sku.model, sku.model_version, sku.deployment_type, sku.scope, consumed.meter),
        "SkuMeter": _meter(consumed),
        "SkuPriceDetails": _json(_details(consumed)),
        "SkuPriceId": _price_id(consumed),
        "x_Provenance": sku.provenance,
        "x_RequestCount": Decimal(consumed.requests),
    }


def _payer(charge: Charge) -> Mapping[str, Cell]:
    """The tenant is the sub-account; no reader takes its id for a number."""
    code = charge.billing_code
    tags = {"tenant": charge.tenant, "billing_code": code}
    if code == OVERFLOW:
        tags |= {"billing_code": OVERFLOW_CELL, "overflow": "true"}
    return {
        "SubAccountId": f"tenant/{charge.tenant}",
        "SubAccountName": charge.tenant,
        "SubAccountType": "Tenant",
        "Tags": _json(tags),
        "x_BillingCode": code,
        "x_Tenant": charge.tenant,
    }


def _details(consumed: Consumption) -> Mapping[str, str | None]:
    sku, meter = consumed.sku, consumed.meter
    token = consumed.unit == "token"
    direction = "Output" if "output" in meter else "Input"
    cached = "Read" if "cached" in meter else "Write" if "cache_write" in meter else "Uncached"
    return {
        "x_ModelId": sku.model,
        "x_ModelVersion": sku.model_version,
        "x_DeploymentType": sku.deployment_type,
        "x_ServingScope": sku.scope,
        "x_ServiceTier": sku.service_tier,
        "x_PromptBand": sku.prompt_band,
        "x_TokenDirection": direction if token else None,
        "x_TokenCacheAction": cached if token and direction == "Input" else None,
    }


def _price_id(consumed: Consumption) -> str:
    """All that a rate can depend on, and nothing that changes with time."""
    values = matched_values(consumed.sku)
    return _id(values["model"], *(values[field] for field in MATCH_FIELDS), consumed.meter)


def _id(*parts: str | None) -> str:
    """Parts between slashes; what is not known is empty."""
    return "/".join(quote(part or "", safe=" :") for part in parts)


def _unit(consumed: Consumption, per: int) -> str:
    unit = _words(consumed.unit) + "s"
    return unit if per == 1 else f"{per} {unit}"


def _meter(consumed: Consumption) -> str:
    words = _words(consumed.meter.replace(":", " "))
    return f"{words} Tokens" if consumed.unit == "token" else words


def _words(name: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in name.replace("_", " ").split())


def _json(values: Mapping[str, str | None]) -> str:
    known = {name: value for name, value in values.items() if value is not None}
    return json.dumps(known, ensure_ascii=False)

"""What FOCUS says of what was consumed: which SKU, where, at which price, in which units."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from urllib.parse import quote

from accountant.charges import Consumption, Price
from accountant.exports.focus_columns import Cell
from accountant.money import EXACT, amount_of
from accountant.rate_cards.price_rules import adjusted
from accountant.rate_cards.rate_card import MATCH_FIELDS, Exchange, matched_values
from tollgate.usage.sku import Sku


def sku_cells(consumed: Consumption) -> Mapping[str, Cell]:
    """The SKU and where it is deployed."""
    return {
        **_named(consumed.sku, consumed.meter, consumed.unit),
        "x_RequestCount": Decimal(consumed.requests),
    }


@lru_cache(maxsize=1_000)
def _named(sku: Sku, meter: str, unit: str) -> Mapping[str, Cell]:
    """What a month says over and over."""
    place = (sku.backend, sku.deployment)
    return {
        "RegionId": sku.region,
        "RegionName": sku.region,
        "ResourceId": named_id("deployments", *place) if sku.deployment else None,
        "ResourceName": sku.deployment,
        "ResourceType": "Model deployment" if sku.deployment else None,
        "SkuId": named_id(sku.model, sku.model_version, sku.deployment_type, sku.scope, meter),
        "SkuMeter": _meter(meter, unit),
        "SkuPriceDetails": json_cell(_details(sku, meter, unit)),
        "SkuPriceId": _price_id(sku, meter),
        "x_Provenance": sku.provenance,
    }


def price_cells(consumed: Consumption, price: Price) -> Mapping[str, Cell]:
    """Exact costs, so that price times quantity is the cost."""
    return {
        "PricingCategory": "Standard",
        "ContractedCost": amount_of(consumed.quantity, price.charged, price.per),
        "ContractedUnitPrice": price.charged,
        "PricingCurrencyContractedUnitPrice": price.charged,
        "ListCost": amount_of(consumed.quantity, price.listed, price.per),
        "ListUnitPrice": price.listed,
        "PricingCurrencyListUnitPrice": price.listed,
        "PricingQuantity": EXACT.divide(Decimal(consumed.quantity), Decimal(price.per)),
        "PricingUnit": unit_name(consumed, price.per),
        **(_before_exchange(consumed, price, price.exchange) if price.exchange else {}),
    }


def _before_exchange(consumed: Consumption, price: Price, exchange: Exchange) -> Mapping[str, Cell]:
    """The same in the currency of the rate card."""
    charged = adjusted(exchange.unit_price, price.adjustments)
    return {
        "PricingCurrency": exchange.currency,
        "PricingCurrencyContractedUnitPrice": charged,
        "PricingCurrencyEffectiveCost": amount_of(consumed.quantity, charged, price.per),
        "PricingCurrencyListUnitPrice": exchange.unit_price,
    }


def consumed_cells(consumed: Consumption) -> Mapping[str, Cell]:
    """How much was used."""
    return {
        "ConsumedQuantity": Decimal(consumed.quantity),
        "ConsumedUnit": unit_name(consumed, 1),
    }


def named_id(*parts: str | None) -> str:
    """Parts between slashes; what is not known is empty."""
    return "/".join(quote(part or "", safe=" :") for part in parts)


def unit_name(consumed: Consumption, per: int) -> str:
    """A unit as FOCUS writes it, such as `1000000 Tokens`."""
    unit = _words(consumed.unit) + "s"
    return unit if per == 1 else f"{per} {unit}"


def json_cell(values: Mapping[str, str | None]) -> str:
    """What is known, as one JSON object."""
    known = {name: value for name, value in values.items() if value is not None}
    return json.dumps(known, ensure_ascii=False)


def _details(sku: Sku, meter: str, unit: str) -> Mapping[str, str | None]:
    token = unit == "token"
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


def _price_id(sku: Sku, meter: str) -> str:
    """All that a rate can depend on, and nothing that changes with time."""
    values = matched_values(sku)
    return named_id(values["model"], *(values[field] for field in MATCH_FIELDS), meter)


def _meter(meter: str, unit: str) -> str:
    words = _words(meter.replace(":", " "))
    return f"{words} Tokens" if unit == "token" else words


def _words(name: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in name.replace("_", " ").split())

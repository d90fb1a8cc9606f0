"""Reads an export of the Azure Retail Prices API as drafts (https://prices.azure.com).

Each meter of Azure OpenAI is there once a region. What every region asks alike is one draft;
regional deployments keep their region.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from accountant.rate_cards.price_list import MILLION, PriceList, price_of, text_of
from accountant.rate_cards.rate_card import Rate
from accountant.rate_cards.retail_meters import MeterName, read_meter
from tollgate.usage.sku import PROMPT_BAND_LIMITS, prompt_band

# Azure names long prompts without saying how long; its price list has this limit.
_LONG: Final = 272_000
_UNIT: Final = re.compile(r"1(K|M)( tokens?)?", re.IGNORECASE)
_TO_MILLION: Final = {"K": 1000, "M": 1}

Members = Mapping[str, Any]


def retail_price_list(items: Iterable[Members], checked_on: date) -> PriceList:
    """The drafts that hold on `checked_on` or later.

    Args:
        items: The `Items` of every page, with numbers as `Decimal`.
        checked_on: The day of the export.
    """
    left_out: Counter[str] = Counter()
    by_price: dict[Rate, list[str]] = defaultdict(list)
    for item in items:
        if "openai" in text_of(item, "productName").lower():
            for rate in _rates(item, checked_on, left_out):
                by_price[msgspec.structs.replace(rate, region=None)].append(rate.region or "")
    return PriceList([*_with_regions(by_price)], left_out)


def _rates(item: Members, checked_on: date, left_out: Counter[str]) -> Iterator[Rate]:
    name = text_of(item, "meterName")
    if text_of(item, "type") != "Consumption" or item.get("tierMinimumUnits"):
        left_out["reservations, development and tests, or tiers of quantity"] += 1
        return
    unit, meter = _UNIT.fullmatch(text_of(item, "unitOfMeasure")), read_meter(name)
    if unit is None or meter is None:
        left_out[f"the meter {name}"] += 1
        return
    price = price_of(item.get("retailPrice"), _TO_MILLION[unit[1].upper()])
    begins, ends = _day(item, "effectiveStartDate"), _day(item, "effectiveEndDate")
    if price is None or begins is None:
        left_out[f"the meter {name}, whose price or day is none"] += 1
        return
    if ends is not None and ends <= max(begins, checked_on):
        return
    for band in _bands(meter):
        yield Rate(
            model=meter.model,
            model_version=meter.model_version,
            deployment_type=meter.deployment_type,
            scope=meter.scope,
            region=text_of(item, "armRegionName") or None,
            service_tier=meter.service_tier,
            prompt_band=band,
            meter=meter.meter,
            unit_price=price,
            per=MILLION,
            currency=text_of(item, "currencyCode"),
            effective_from=begins,
            effective_to=ends,
            source=f"Azure Retail Prices API, {name}",
            checked_on=checked_on,
            place=f"Azure Retail Prices API: {name}",
        )


def _bands(meter: MeterName) -> Sequence[str | None]:
    if not meter.long_prompt:
        return [None]
    return [prompt_band(limit + 1) for limit in PROMPT_BAND_LIMITS if limit >= _LONG]


def _day(item: Members, name: str) -> date | None:
    try:
        return date.fromisoformat(text_of(item, name)[:10])
    except ValueError:
        return None


def _with_regions(by_price: Mapping[Rate, Sequence[str]]) -> Iterator[Rate]:
    """One rate for all regions of a scope if they agree, else one a region."""
    prices: Counter[tuple[object, ...]] = Counter(_usage(rate) for rate in by_price)
    for rate, regions in by_price.items():
        if rate.scope != "regional" and prices[_usage(rate)] == 1:
            yield rate
        else:
            for region in dict.fromkeys(regions):
                yield msgspec.structs.replace(rate, region=region or None)


def _usage(rate: Rate) -> tuple[object, ...]:
    return (rate.model, rate.meter, *rate.match().items(), rate.effective_from)

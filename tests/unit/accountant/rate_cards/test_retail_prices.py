from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accountant.rate_cards.retail_prices import retail_price_list

DAY = date(2026, 11, 20)
ITEM = {
    "currencyCode": "USD",
    "tierMinimumUnits": 0,
    "retailPrice": Decimal("0.00015"),
    "armRegionName": "westeurope",
    "effectiveStartDate": "2025-01-01T00:00:00Z",
    "meterName": "gpt-4o-mini-0718-Inp-glbl Tokens",
    "productName": "Azure OpenAI",
    "unitOfMeasure": "1K",
    "type": "Consumption",
}


def item(**changes: Any) -> dict[str, Any]:
    return {**ITEM, **changes}


def test_a_price_of_a_thousand_is_one_of_a_million() -> None:
    (found,) = retail_price_list([item()], DAY).rates
    assert (found.unit_price, found.per, found.currency) == (Decimal("0.15"), 10**6, "USD")
    assert found.match() == {
        "model_version": "2024-07-18",
        "deployment_type": "standard",
        "scope": "global",
        "service_tier": "default",
    }
    assert (found.effective_from, found.checked_on) == (date(2025, 1, 1), DAY)
    assert found.source == "Azure Retail Prices API, gpt-4o-mini-0718-Inp-glbl Tokens"


def test_regions_that_ask_the_same_are_one_price() -> None:
    same = [item(), item(armRegionName="eastus")]
    assert [rate.region for rate in retail_price_list(same, DAY).rates] == [None]
    dearer = [item(), item(armRegionName="eastus", retailPrice=Decimal("0.00016"))]
    regions = [rate.region for rate in retail_price_list(dearer, DAY).rates]
    assert regions == ["westeurope", "eastus"]


def test_regional_prices_keep_their_region() -> None:
    regional = item(meterName="gpt-4o-mini-0718-Inp-regnl")
    assert [rate.region for rate in retail_price_list([regional], DAY).rates] == ["westeurope"]


def test_the_price_of_long_prompts_is_one_of_each_longer_band() -> None:
    long = item(meterName="5.4 longco inp Gl", unitOfMeasure="1M", retailPrice=5)
    found = retail_price_list([long], DAY).rates
    assert [(rate.prompt_band, rate.unit_price) for rate in found] == [
        ("272000-512000", 5),
        ("512000+", 5),
    ]


def test_what_ended_before_the_export_is_not_there() -> None:
    ended = item(effectiveEndDate="2026-11-20T00:00:00Z")
    ends = item(effectiveEndDate="2026-12-01T00:00:00Z")
    assert retail_price_list([ended], DAY).rates == []
    (found,) = retail_price_list([ends], DAY).rates
    assert found.effective_to == date(2026, 12, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Reservation"},
        {"tierMinimumUnits": 1000},
        {"unitOfMeasure": "1 Hour"},
        {"meterName": "gpt-4o-0806-FT-inp-glbl Tokens"},
        {"meterName": 7},
        {"retailPrice": "0.1"},
        {"retailPrice": True},
        {"retailPrice": -1},
        {"retailPrice": Decimal("1E-30")},
        {"retailPrice": Decimal("NaN")},
        {"effectiveStartDate": "soon"},
    ],
)
def test_what_cannot_be_read_is_counted(changes: dict[str, Any]) -> None:
    found = retail_price_list([item(**changes)], DAY)
    assert (found.rates, found.left_out.total()) == ([], 1)


def test_other_products_are_passed_over() -> None:
    found = retail_price_list([item(productName="Virtual Machines")], DAY)
    assert (found.rates, found.left_out.total()) == ([], 0)

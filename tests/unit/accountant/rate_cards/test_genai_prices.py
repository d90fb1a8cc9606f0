from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accountant.rate_cards.genai_prices import genai_price_list
from accountant.rate_cards.price_list import PriceList

DAY = date(2026, 11, 20)


def listed(prices: object, provider: str = "azure", **more: Any) -> PriceList:
    model = {"id": "gpt-9", "prices": prices, **more}
    return genai_price_list([{"id": provider, "models": [model]}], DAY)


def test_an_undated_price_begins_on_the_day_of_the_file() -> None:
    (found,) = listed({"input_mtok": Decimal("0.15")}).rates
    assert (found.unit_price, found.per, found.currency) == (Decimal("0.15"), 10**6, "USD")
    assert (found.effective_from, found.effective_to) == (DAY, None)
    assert found.match() == {
        "deployment_type": "standard",
        "scope": "global",
        "service_tier": "default",
    }
    assert found.source == "genai-prices, provider azure"


def test_dated_prices_that_still_hold_or_will_are_there() -> None:
    found = listed(
        [
            {"constraint": {"start_date": "2027-01-01"}, "prices": {"input_mtok": 3}},
            {"prices": {"input_mtok": 1}},
            {"constraint": {"start_date": "2026-11-01"}, "prices": {"input_mtok": 2}},
        ]
    )
    assert [(rate.unit_price, rate.effective_from, rate.effective_to) for rate in found.rates] == [
        (2, date(2026, 11, 1), date(2027, 1, 1)),
        (3, date(2027, 1, 1), None),
    ]


def test_tiers_are_the_bands_from_their_start() -> None:
    tiers = [{"start": 512_000, "price": 9}, {"start": 200_000, "price": 5}]
    found = listed({"output_mtok": {"base": 3, "tiers": tiers}})
    assert [(rate.prompt_band, rate.unit_price) for rate in found.rates] == [
        (None, 3),
        ("200000-272000", 5),
        ("272000-512000", 5),
        ("512000+", 9),
    ]


def test_what_azure_lacks_is_taken_from_openai_and_says_so() -> None:
    azure = {"id": "azure", "models": [{"id": "o3", "prices": {"input_mtok": 2}}]}
    models = [{"id": name, "prices": {"input_mtok": 1}} for name in ("o3", "gpt-5")]
    found = genai_price_list([{"id": "openai", "models": models}, azure], DAY)
    assert [(rate.model, rate.unit_price, rate.source) for rate in found.rates] == [
        ("o3", 2, "genai-prices, provider azure"),
        ("gpt-5", 1, "genai-prices, provider openai"),
    ]


@pytest.mark.parametrize(
    "prices",
    [
        {"requests_kcount": 1},
        {"input_mtok": "free"},
        {"input_mtok": {"base": 1, "tiers": [{"start": 1000, "price": 2}]}},
        {"input_mtok": {"base": 1, "tiers": [{"price": 2}]}},
        [{"constraint": {"start_time": "16:30", "end_time": "00:30"}, "prices": {}}],
        [{"constraint": {"start_date": 7}, "prices": {"input_mtok": 1}}],
    ],
)
def test_what_cannot_be_read_is_counted(prices: object) -> None:
    found = listed(prices)
    assert (found.rates, found.left_out.total()) == ([], 1)


def test_prices_of_other_tiers_are_counted_as_left_out() -> None:
    found = listed({"input_mtok": 1}, price_variants=[{"when": {}, "prices": {}}])
    assert (len(found.rates), found.left_out.total()) == (1, 1)


def test_a_file_of_other_shapes_is_no_bug() -> None:
    odd: list[dict[str, Any]] = [{"id": "azure", "models": 7}, {"id": "openai", "models": [3, {}]}]
    assert genai_price_list(odd, DAY).rates == []

"""Every kind of price that the provider bills, from the event to the line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from accounting import OCTOBER, ledger_of, rate
from builders import event

from accountant.rate_cards.rate_card import RateCard
from accountant.reports.report import month_report
from tollgate.usage.tokens import Tokens

CARD = RateCard(
    [
        rate("1.00"),
        rate("0.10", meter="cached_input"),
        rate("1.25", meter="cache_write_input"),
        rate("40", meter="audio_input"),
        rate("2.50", meter="cached_audio_input"),
        rate("10", meter="image_input"),
        rate("0.25", meter="cached_image_input"),
        rate("8", meter="output"),
        rate("80", meter="audio_output"),
        rate("32", meter="image_output"),
        rate("2.00", prompt_band="272000-512000"),
        rate("2.00", prompt_band="512000+"),
        rate("1.75", service_tier="priority", deployment_type="standard"),
        rate("0.50", service_tier="default", deployment_type="batch"),
        rate("1.10", region="westeurope", scope="regional", service_tier="default"),
        rate("0.08", meter="images:1024x1024:hd", per=1),
        rate("0.36", meter="milliseconds", per=1_000_000),
    ]
)


def lines(**changes: Any) -> dict[str, Decimal]:
    """Meter to amount of one event; global unless it says otherwise."""
    members: dict[str, Any] = {"scope": "global", **changes}
    used = ledger_of([event(**members)])
    found = month_report(OCTOBER, ["tenant"], used.money_cells(OCTOBER), CARD)
    assert not found.unpriced
    return {line.meter: line.amount for line in found.lines}


@pytest.mark.parametrize(
    ("tokens", "amounts"),
    [
        (
            {"input": 1000, "cached_input": 600, "cache_write_input": 300},
            {"input": "0.0001", "cached_input": "0.00006", "cache_write_input": "0.000375"},
        ),
        (
            {"input": 100, "cached_input": 40, "audio_input": 50, "cached_audio_input": 30},
            {
                "input": "0.00004",
                "cached_input": "0.000001",
                "audio_input": "0.0008",
                "cached_audio_input": "0.000075",
            },
        ),
        (
            {"input": 100, "cached_input": 40, "image_input": 50, "cached_image_input": 40},
            {"input": "0.00005", "image_input": "0.0001", "cached_image_input": "0.00001"},
        ),
        (
            {"input": 0, "output": 100, "reasoning_output": 60, "audio_output": 30},
            {"output": "0.00056", "audio_output": "0.0024"},
        ),
        ({"input": 0, "output": 10, "image_output": 10}, {"image_output": "0.00032"}),
    ],
)
def test_every_leaf_has_its_price_and_no_token_two(
    tokens: dict[str, int], amounts: dict[str, str]
) -> None:
    found = lines(tokens=Tokens(**{"output": 0, **tokens}))
    assert found == {meter: Decimal(amount) for meter, amount in amounts.items()}


@pytest.mark.parametrize(
    ("prompt", "price"), [(272_000, "1.00"), (272_001, "2.00"), (512_001, "2.00")]
)
def test_a_long_prompt_has_the_price_of_its_band_from_its_first_token(
    prompt: int, price: str
) -> None:
    assert lines(tokens=Tokens(input=prompt, output=0)) == {
        "input": prompt * Decimal(price) / 10**6
    }


@pytest.mark.parametrize(
    ("served", "price"),
    [
        ({"service_tier": "priority"}, "1.75"),
        ({"service_tier": "default"}, "1.00"),
        ({"deployment_type": "batch"}, "0.50"),
        ({"scope": "regional"}, "1.10"),
        ({"scope": "regional", "region": "eastus"}, "1.00"),
    ],
)
def test_what_served_the_call_decides_the_price(served: dict[str, str], price: str) -> None:
    found = lines(tokens=Tokens(input=10**4, output=0), **served)
    assert found == {"input": Decimal(price) / 100}


def test_images_and_seconds_have_prices_of_their_own() -> None:
    units = {"images:1024x1024:hd": 3, "milliseconds": 90_000}
    found = lines(tokens=Tokens(input=0, output=0), units=units)
    assert found == {"images:1024x1024:hd": Decimal("0.24"), "milliseconds": Decimal("0.0324")}


@pytest.mark.parametrize("provenance", ["measured", "injected", "estimated", "backfilled"])
def test_what_was_counted_in_any_way_is_charged_and_says_how(provenance: str) -> None:
    used = ledger_of([event(scope="global", provenance=provenance)])
    found = month_report(OCTOBER, ["tenant"], used.money_cells(OCTOBER), CARD)
    assert {line.provenance for line in found.lines} == {provenance}
    assert next(line.amount for line in found.lines) == Decimal("0.00036")


def test_a_cached_share_that_is_not_known_is_charged_as_uncached() -> None:
    found = lines(provenance="backfilled", tokens=Tokens(input=1000, cached_input=None, output=0))
    assert found == {"input": Decimal("0.001")}


@pytest.mark.parametrize("provenance", ["pending", "unknown"])
def test_what_is_not_counted_has_a_line_without_a_figure(provenance: str) -> None:
    used = ledger_of([event(provenance=provenance, tokens=None)])
    found = month_report(OCTOBER, ["tenant"], used.money_cells(OCTOBER), CARD)
    (line,) = found.unpriced
    assert (line.meter, line.quantity, line.provenance) == (None, None, provenance)
    assert (found.lines, found.statements[0].unmetered) == ([], 1)

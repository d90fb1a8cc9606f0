from __future__ import annotations

import pytest
from builders import usage_data

from tollgate.usage.sku import prompt_band, sku_of


@pytest.mark.parametrize(
    ("input_tokens", "band"),
    [
        (0, "0-32000"),
        (32_000, "0-32000"),
        (32_001, "32000-128000"),
        (200_001, "200000-272000"),
        (512_000, "272000-512000"),
        (512_001, "512000+"),
    ],
)
def test_a_prompt_of_exactly_a_limit_lies_below_it(input_tokens: int, band: str) -> None:
    assert prompt_band(input_tokens) == band


def test_the_sku_says_what_served_the_call_and_not_who_made_it() -> None:
    assert sku_of(usage_data(user="alice")) == sku_of(usage_data(user="bob", billing_code=None))
    assert sku_of(usage_data()) != sku_of(usage_data(region="northeurope"))
    assert sku_of(usage_data()) != sku_of(usage_data(provenance="injected"))


def test_usage_that_is_not_known_has_no_prompt_band() -> None:
    assert sku_of(usage_data(provenance="unknown", tokens=None)).prompt_band is None

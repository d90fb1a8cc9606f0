from __future__ import annotations

from datetime import date

import pytest
from accounting import DAY, OCTOBER, card, rate, rule, sku

from accountant.errors import RateCardError
from accountant.rate_cards.rate_card import RateCard, contradictions

NOVEMBER = date(2026, 11, 1)


def test_a_rate_holds_from_its_first_day_until_the_day_before_its_end() -> None:
    dated = card(rate(effective_from=DAY, effective_to=NOVEMBER))
    days = (date(2026, 10, 14), DAY, date(2026, 10, 31), NOVEMBER)
    found = [dated.rate_for(sku(), "input", day) is not None for day in days]
    assert found == [False, True, True, False]


def test_the_new_rate_holds_from_the_day_it_begins() -> None:
    old, new = rate("1", effective_to=NOVEMBER), rate("2", effective_from=NOVEMBER)
    changed = card(new, old)
    assert changed.rate_for(sku(), "input", date(2026, 10, 31)) == old
    assert changed.rate_for(sku(), "input", NOVEMBER) == new


def test_the_most_specific_rate_wins() -> None:
    general, exact = rate("1"), rate("2", region="westeurope", scope="regional")
    chosen = card(general, rate("3", scope="regional"), exact)
    assert chosen.rate_for(sku(), "input", DAY) == exact
    assert chosen.rate_for(sku(scope="global"), "input", DAY) == general


@pytest.mark.parametrize(
    "other",
    [
        {"model": "gpt-4o"},
        {"model": None},
        {"model_version": "2099-01-01"},
        {"deployment_type": "provisioned"},
        {"scope": "global"},
        {"region": "eastus"},
        {"service_tier": "priority"},
        {"prompt_band": "128000-200000"},
        {"provenance": "estimated"},
    ],
)
def test_a_rate_does_not_hold_for_what_differs_in_a_field_it_sets(
    other: dict[str, str | None],
) -> None:
    exact = rate(
        model_version="2024-07-18",
        deployment_type="standard",
        scope="regional",
        region="westeurope",
        service_tier="default",
        prompt_band="0-32000",
        provenance="measured",
    )
    assert card(exact).rate_for(sku(), "input", DAY) == exact
    assert card(exact).rate_for(sku(**other), "input", DAY) is None


def test_usage_without_a_tier_is_of_the_default_tier() -> None:
    assert card(rate(service_tier="default")).rate_for(sku(service_tier=None), "input", DAY)
    assert not card(rate(service_tier="priority")).rate_for(sku(service_tier=None), "input", DAY)


def test_two_rates_for_the_same_days_are_refused() -> None:
    with pytest.raises(RateCardError, match=r"b: overlaps a: .* from 2026-10-15; a new price"):
        RateCard([rate(place="a"), rate(place="b", effective_from=DAY)])


def test_two_rates_equally_specific_are_refused_if_one_usage_can_have_both() -> None:
    by_region, by_tier = rate(region="westeurope"), rate(service_tier="priority")
    (problem,) = contradictions([by_region, by_tier])
    assert "set region and service_tier in both, or in one" in problem


def test_two_rates_that_no_usage_can_share_stand_together() -> None:
    assert not contradictions([rate(region="westeurope"), rate(region="eastus")])
    assert not contradictions([rate(), rate(meter="output"), rate(model="gpt-4o")])


def test_a_card_has_one_currency() -> None:
    with pytest.raises(RateCardError, match="EUR, USD: a card has one currency"):
        RateCard([rate(), rate(currency="EUR", meter="output")])


def test_an_empty_card_is_refused() -> None:
    with pytest.raises(RateCardError, match="no rate"):
        RateCard([])


def test_a_month_is_parted_where_a_price_begins_or_ends() -> None:
    rates = [rate(effective_to=DAY), rate(effective_from=DAY, effective_to=NOVEMBER)]
    rules = [
        rule(effective_from=date(2026, 10, 20)),
        rule(effective_to=date(2026, 10, 3), model="m"),
    ]
    starts = ["2026-10-01", "2026-10-03", "2026-10-15", "2026-10-20"]
    assert RateCard(rates, rules).starts_in(OCTOBER) == starts
    assert card().starts_in(OCTOBER) == ["2026-10-01"]

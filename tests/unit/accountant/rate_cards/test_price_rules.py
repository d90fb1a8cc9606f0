from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from accounting import DAY, rate, rule, sku

from accountant.errors import RateCardError
from accountant.rate_cards.price_rules import (
    Adjustment,
    PriceRule,
    PriceRules,
    adjusted,
    rule_clashes,
    words,
)
from accountant.rate_cards.rate_card import RateCard

NOVEMBER = date(2026, 11, 1)


def names(*rules: PriceRule, tenant: str | None = "contoso", day: date = DAY) -> list[str]:
    return [each.name for each in PriceRules(rules).adjustments(tenant, sku(), "input", day)]


def test_without_rules_the_list_price_stands() -> None:
    assert names() == []
    assert adjusted(Decimal("0.15"), ()) == Decimal("0.15")


def test_the_same_usage_is_looked_up_once() -> None:
    rules = PriceRules([rule()])
    asked = [rules.adjustments("contoso", sku(), "input", DAY) for _ in range(2)]
    assert asked[0] is asked[1]


def test_the_discount_comes_off_before_the_markup_goes_on() -> None:
    applied = (rule("3", kind="markup", name="platform"), rule("12.5", name="EA"))
    assert names(*applied) == ["EA", "platform"]
    both = PriceRules(applied).adjustments("contoso", sku(), "input", DAY)
    assert adjusted(Decimal("0.15"), both) == Decimal("0.1351875")


def test_the_price_stays_exact_at_any_number_of_digits() -> None:
    listed = Decimal("99999999999999999999.99999999999999999999")
    most = Adjustment("markup", "m", Decimal("999.99999999"))
    exact = adjusted(listed, (Adjustment("discount", "d", Decimal("0.00000001")), most))
    assert exact.as_tuple().exponent == -40


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "fabrikam"},
        {"model": "gpt-4o"},
        {"deployment_type": "batch"},
        {"meter": "output"},
    ],
)
def test_a_rule_is_for_what_it_names(other: dict[str, str]) -> None:
    assert names(rule(**other)) == []


def test_the_most_specific_rule_of_a_kind_wins() -> None:
    assert names(rule(), rule(name="own", tenant="contoso")) == ["own"]
    assert names(rule(), rule(name="own", tenant="contoso"), tenant="fabrikam") == ["EA"]
    assert names(rule(), rule(name="own", tenant="contoso"), tenant=None) == ["EA"]


def test_a_rule_holds_on_its_days() -> None:
    old, new = rule(effective_to=NOVEMBER), rule(name="new", effective_from=NOVEMBER)
    assert names(old, new, day=date(2026, 10, 31)) == ["EA"]
    assert names(old, new, day=NOVEMBER) == ["new"]


def test_two_discounts_for_the_same_usage_are_refused() -> None:
    with pytest.raises(
        RateCardError, match=r"b: overlaps a: both are discounts .* from 2026-10-15"
    ):
        RateCard([rate()], [rule(place="a"), rule(place="b", effective_from=DAY)])


def test_two_rules_equally_specific_are_refused_if_one_usage_can_have_both() -> None:
    (problem,) = rule_clashes([rule(tenant="contoso"), rule(model="gpt-4o")])
    assert "set model and tenant in both, or in one" in problem
    assert not rule_clashes([rule(tenant="contoso"), rule(tenant="fabrikam")])
    assert not rule_clashes([rule(), rule(kind="markup")])


def test_words_say_what_was_done() -> None:
    made = (Adjustment("discount", "EA", Decimal("12.50")), Adjustment("markup", "IT", Decimal(3)))
    assert words(made) == "EA -12.5%, IT +3%"

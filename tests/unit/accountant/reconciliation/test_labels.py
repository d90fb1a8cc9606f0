from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from reconciling import THE_15TH, prompt

from accountant.reconciliation.causes import Cause
from accountant.reconciliation.differences import Line
from accountant.reconciliation.items import Item
from accountant.reconciliation.labels import (
    item_words,
    money_cause_words,
    offer_words,
    price_words,
    quantity_cause_words,
    rounded_for_people,
    signed,
    target_words,
)

OFFER = Item(
    backend="weu-1",
    model="gpt-4o",
    scope="data_zone",
    deployment_type="batch",
    service_tier="default",
    meter="cached_input",
)


def line(**changes: Any) -> Line:
    made = Line(
        day=THE_15TH,
        item=prompt(),
        ledger=1_000_000,
        provider=1_000_000,
        ledger_amount=Decimal("0.15"),
        provider_amount=Decimal("0.16"),
        causes=(),
        unexplained=0,
        unexplained_amount=Decimal("0.01"),
        unpriced=0,
        status="unexplained",
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (prompt(), "weu-1 gpt-4o-mini prompt"),
        (OFFER, "weu-1 gpt-4o data zone batch cached_input"),
        (
            msgspec.structs.replace(OFFER, service_tier="flex"),
            "weu-1 gpt-4o data zone batch flex cached_input",
        ),
        (Item(backend="weu-1", meter="odd one"), "weu-1 odd one"),
    ],
)
def test_an_item_in_words(item: Item, words: str) -> None:
    assert item_words(item) == words


def test_names_are_shown_without_what_is_invisible() -> None:
    assert offer_words(prompt(deployment="a\u202eb")) == "a\N{REPLACEMENT CHARACTER}b"


def test_a_target_is_backend_and_deployment_or_model() -> None:
    assert target_words(("weu-1", "mini", None)) == ("weu-1", "mini")
    assert target_words((None, None, "gpt-4o")) == ("", "gpt-4o")
    assert target_words((None, None, None)) == ("", "")
    assert target_words(None) == ("total", "")


def test_causes_are_told_with_their_quantity_or_amount() -> None:
    causes = (
        Cause(kind="time_shift", quantity=1200, amount=Decimal("0.30")),
        Cause(kind="rounding", quantity=0, amount=Decimal("-0.0000004")),
    )
    some = line(causes=causes, unexplained=3)
    assert quantity_cause_words(some) == "time shift +1,200"
    assert money_cause_words(some) == "time shift +0.3; rounding 0"


def test_two_prices_of_the_same_are_told() -> None:
    assert price_words(line()) == "price/1M 0.15 here, 0.16 there"
    assert money_cause_words(line()) == "price/1M 0.15 here, 0.16 there"


@pytest.mark.parametrize(
    "changes",
    [
        {"unexplained": 1},
        {"unexplained_amount": Decimal(0)},
        {"ledger_amount": None},
        {"provider": 0},
    ],
)
def test_what_else_differs_has_no_price(changes: dict[str, Any]) -> None:
    assert price_words(line(**changes)) == ""


def test_usage_without_a_rate_is_told() -> None:
    assert price_words(line(unpriced=1200)) == "no rate for 1,200"


def test_amounts_are_told_to_six_decimals_with_their_sign() -> None:
    assert [signed(Decimal(each)) for each in ("1.50", "-2", "0")] == ["+1.5", "-2", "0"]
    assert str(rounded_for_people(Decimal("0.1234565"))) == "0.123456"
    assert str(rounded_for_people(None)) == "0.000000"

from __future__ import annotations

from decimal import Decimal

import pytest
from accounting import card, money_cell, sku, used
from reconciling import agreeing, compared, counts, ledger_reading, prompt, provider

from accountant.reconciliation.capture import Capture, captures


def capture(ledger: int, provider: int) -> Capture:
    return Capture(target=None, unit="token", ledger=Decimal(ledger), provider=Decimal(provider))


@pytest.mark.parametrize(
    ("ledger", "provider", "rate"),
    [
        *((7, 7, "1"), (0, 7, "0"), (1, 3, "0.333333"), (2, 3, "0.666666"), (4, 3, "1.333334")),
        *((10**9 - 1, 10**9, "0.999999"), (10**9 + 1, 10**9, "1.000001")),
    ],
)
def test_a_rate_is_one_only_if_both_are_equal(ledger: int, provider: int, rate: str) -> None:
    assert capture(ledger, provider).rate == Decimal(rate)


@pytest.mark.parametrize("provider", [0, -1])
def test_where_the_provider_has_nothing_there_is_no_rate(provider: int) -> None:
    assert capture(7, provider).rate is None


def test_there_is_one_for_each_deployment_and_unit_and_in_total() -> None:
    cells = [money_cell(), money_cell(sku=sku(backend="weu-2"))]
    side = provider(counts=counts(4000) | counts(1000, item=prompt(backend="weu-2")))
    found = captures(compared(ledger_reading(cells).side(), side).lines)
    assert [(each.target and each.target[0], each.unit, each.rate) for each in found] == [
        ("weu-1", "token", Decimal("0.25")),
        ("weu-1", "request", None),
        ("weu-2", "token", Decimal(1)),
        ("weu-2", "request", None),
        (None, "token", Decimal("0.4")),
        (None, "request", None),
    ]


def test_prompt_and_completion_are_one_sum_of_tokens() -> None:
    side = provider(counts=counts(300) | counts(100, item=prompt(meter="completion")))
    total = captures(compared(ledger_reading([]).side(), side).lines)[-1]
    assert (total.ledger, total.provider) == (0, 400)


def test_the_invoice_has_money_too() -> None:
    cells = [money_cell(usage=used(2000))]
    ledger = ledger_reading(cells, "invoice", card()).side("USD")
    found = captures(compared(ledger, agreeing(cells, "invoice", card())).lines)
    assert [(each.unit, each.rate) for each in found if each.target is None] == [
        ("token", Decimal(1)),
        ("money", Decimal(1)),
    ]
    assert found[0].target == ("weu-1", None, "gpt-4o-mini")

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from accounting import sku
from closed_months import OCTOBER

from accountant.charges import Consumption, Uncharged
from accountant.closing.blockers import NO_MONTH, Blocker, Kind, Left, beyond

LetPass = dict[tuple[str, str | None], dict[str, int]]


def left_out(quantity: int | None = 7, **changes: Any) -> Uncharged:
    """Usage of contoso without a rate, or without a count."""
    given: dict[str, Any] = {"sku": sku(model="gpt-9"), "start": date(2026, 10, 15), **changes}
    consumed = quantity and Consumption(
        sku=given["sku"], meter="cached_input", quantity=quantity, requests=2
    )
    fixed: dict[str, Any] = {"tenant": "contoso", "billing_code": None, "requests": 2}
    return Uncharged(consumed=consumed or None, **fixed, **given)


def test_what_is_in_no_charge_is_added_up_by_what_a_waiver_names() -> None:
    left = Left()
    for each in (
        left_out(7),
        left_out(5, start=date(2026, 9, 1)),
        left_out(None, sku=sku(provenance="pending")),
        left_out(None, sku=sku(provenance="unknown")),
        left_out(None, sku=sku(provenance="unknown", region="elsewhere")),
    ):
        left.add(each)
    assert [(each.what, each.model, each.meter, each.months) for each in left.blockers()] == [
        ("unpriced", "gpt-9", "cached_input", {"2026-09": 5, "2026-10": 7}),
        ("pending", None, None, {"2026-10": 2}),
        ("unknown", None, None, {"2026-10": 4}),
    ]


def test_it_is_told_whose_it_is_how_much_and_of_which_month() -> None:
    unpriced = Blocker(
        what="unpriced",
        tenant="con\ttoso",
        model=None,
        meter="images:hd",
        months={"2026-09": 1, "2026-10": 1_000},
    )
    assert unpriced.words(OCTOBER) == (
        "con\N{REPLACEMENT CHARACTER}toso: — unknown — images:hd: 1,001 images without a rate"
        " (1 of 2026-09)"
    )
    letters = Blocker(what="dead-letter", months={NO_MONTH: 1})
    assert letters.words(OCTOBER) == "1 event refused and kept as dead letters"


@pytest.mark.parametrize("what", get_args(Kind))
def test_every_kind_says_what_it_is_and_what_to_do(what: Kind) -> None:
    blocker = Blocker(what=what, meter="input", months={"2026-10": 2})
    assert "2 " in blocker.words(OCTOBER)
    assert blocker.advice()


def test_what_was_let_pass_before_is_in_the_way_no_more() -> None:
    late = Blocker(what="late", tenant="contoso", months={"2026-09": 3, "2026-10": 2})
    assert beyond([late], {}) == [late]
    passed: LetPass = {("late", "contoso"): {"2026-09": 3}}
    assert [each.months for each in beyond([late], passed)] == [{"2026-10": 2}]
    more: LetPass = {
        ("late", "contoso"): {"2026-09": 2, "2026-10": 9},
        ("late", "other"): {"2026-10": 9},
    }
    assert [each.months for each in beyond([late], more)] == [{"2026-09": 1}]
    assert beyond([late], {("late", "contoso"): {"2026-09": 3, "2026-10": 2}}) == []

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from accounting import OCTOBER
from spending import as_of, days, fixed, horizon, spend_of

from accountant.planning.budgets import Alert, Budget, Budgets, BurnDown, budgets
from accountant.planning.budgets_document import budgets_document
from tollgate.errors import SettingsError

OCTOBER_1 = date(2026, 10, 1)
TWO_A_DAY = days(OCTOBER_1, 31, lambda _: "2")


def budget(amount: str = "50", **changes: Any) -> Budget:
    made: dict[str, Any] = {"tenant": "contoso", "amount": Decimal(amount), "currency": "USD"}
    return Budget(**made | changes)


def one(found: Budgets) -> BurnDown:
    assert len(found.burn_downs) == 1
    return found.burn_downs[0]


def test_spent_committed_and_left_add_up_to_the_budget() -> None:
    found = one(budgets(horizon(), spend_of({"contoso": TWO_A_DAY}, [fixed("5")]), [budget()]))
    assert (found.spent, found.forecast.one_offs, found.left) == (30, 5, 15)
    assert (found.used_percent, found.forecast.expected) == (Decimal(70), Decimal(67))


def test_the_breach_is_the_first_day_with_more_than_the_budget() -> None:
    spend = spend_of({"contoso": TWO_A_DAY})
    assert one(budgets(horizon(), spend, [budget("50")])).breach == date(2026, 10, 26)
    assert one(budgets(horizon(), spend, [budget("49.99")])).breach == date(2026, 10, 25)
    assert one(budgets(horizon(), spend, [budget("62")])).breach is None
    assert one(budgets(horizon(), spend, [budget("9")])).breach == date(2026, 10, 5)


def test_what_is_committed_counts_from_the_first_day() -> None:
    spend = spend_of({"contoso": TWO_A_DAY}, [fixed("49")])
    assert one(budgets(horizon(), spend, [budget()])).breach == OCTOBER_1


def test_thresholds_are_reached_foreseen_or_neither() -> None:
    given = budget("60", alert_at=(Decimal("1.5"), Decimal("0.5"), Decimal(1)))
    assert one(budgets(horizon(), spend_of({"contoso": TWO_A_DAY}), [given])).alerts == (
        Alert(at=Decimal("0.5"), day=date(2026, 10, 15), reached=True),
        Alert(at=Decimal(1), day=date(2026, 10, 30), reached=False),
        Alert(at=Decimal("1.5"), day=None, reached=False),
    )


def test_a_tenant_without_usage_has_its_budget_left() -> None:
    found = budgets(horizon(), spend_of({"other": TWO_A_DAY}), [budget()])
    assert (one(found).left, one(found).forecast.expected) == (50, 0)
    assert found.without == {"other": Decimal(30)}


def test_a_budget_of_nothing_is_breached_by_anything_and_has_no_percentage() -> None:
    found = one(budgets(horizon(), spend_of({"contoso": TWO_A_DAY}), [budget("0")]))
    assert (found.used_percent, found.breach) == (None, OCTOBER_1)


def test_the_month_elapses_by_the_second() -> None:
    for text, part in (("2026-10-16T12:00Z", "50.0"), ("2026-09-01", "0"), ("2026-12-01", "100")):
        assert budgets(horizon(text), spend_of({}), []).elapsed_percent == Decimal(part)


def test_unlike_currencies_are_told_all_at_once() -> None:
    given = [
        budget(currency="EUR", place="b.csv: row 1 (line 2)"),
        budget(tenant="fabrikam", currency="GBP", place="b.csv: row 2 (line 3)"),
    ]
    with pytest.raises(SettingsError) as caught:
        budgets(horizon(), spend_of({}), given)
    assert caught.value.problems == [
        (
            "b.csv: row 1 (line 2): the budget of contoso is in EUR, but the rates are in USD; "
            "write it in USD, or give --rates in EUR"
        ),
        (
            "b.csv: row 2 (line 3): the budget of fabrikam is in GBP, but the rates are in USD; "
            "write it in USD, or give --rates in GBP"
        ),
    ]


def test_what_is_in_no_figure_is_shown_beside_as_the_figures_are_a_lower_bound() -> None:
    spend = spend_of({"contoso": TWO_A_DAY, "other": TWO_A_DAY}, (), as_of())
    spend.left_out[OCTOBER, "contoso"] = Counter(unpriced=3, uncounted=1)
    document = budgets_document(budgets(horizon(), spend, [budget()]))
    assert document.sheets[0].rows[0][-2:] == (3, 1)
    notes = "\n".join(document.notes)
    assert "Lower bound" in notes
    assert "(contoso 1 uncounted and 3 unpriced)" in notes
    assert "Without a budget, charged so far: other 30.00." in notes


def test_thresholds_are_told_in_words() -> None:
    given = budget("60", alert_at=(Decimal("0.5"), Decimal(1), Decimal(2)))
    found = budgets(horizon(), spend_of({"contoso": TWO_A_DAY}), [given])
    states = [row[3] for row in budgets_document(found).sheets[1].rows]
    assert states == ["reached", "foreseen", "not foreseen"]


def test_before_a_day_is_over_nothing_may_be_foreseen() -> None:
    found = budgets(horizon("2026-10-01"), spend_of({}), [budget()])
    assert one(found).forecast.expected is None
    assert budgets_document(found).sheets[0].rows[0][5:8] == (None, Decimal(0), None)

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from accounting import OCTOBER
from exporting import owed, usage
from spending import SEPTEMBER, as_of, corrected, fixed, left_out

from accountant.charges import Charge, Uncharged
from accountant.planning.comparison import Comparison, MonthCosts, Volume, comparison
from accountant.planning.comparison_document import Months, comparison_document
from accountant.planning.sheet_table import document_table

BY = ("tenant",)


def compared(
    before: Sequence[Charge | Uncharged],
    after: Sequence[Charge | Uncharged],
    by: tuple[str, ...] = BY,
    first_days: int | None = None,
) -> Comparison:
    when = as_of("2026-11-01")
    costs = [MonthCosts(by, when, first_days) for _ in range(2)]
    for charges, into in zip((before, after), costs, strict=True):
        for charge in charges:
            into.add(charge)
    return comparison(by, *costs)


def months(**changes: Any) -> Months:
    made: dict[str, Any] = {
        "before": SEPTEMBER,
        "after": OCTOBER,
        "currency": "USD",
        "as_of": as_of("2026-11-01"),
        "first_days": None,
    }
    return Months(**made | changes)


def test_groups_of_either_month_have_a_line_by_name() -> None:
    found = compared([usage(tenant="b")], [usage(tenant="a")])
    assert [line.group for line in found.lines] == [("a",), ("b",)]
    assert [line.change for line in found.lines] == [usage().amount, -usage().amount]
    assert found.total.change == 0


def test_what_is_no_usage_is_other() -> None:
    entries = [fixed("10"), corrected("2"), owed("-1", category="Credit")]
    found = compared([usage()], [usage(), *entries])
    assert found.total.effects.other == found.total.change == Decimal(11)


def test_rounding_is_in_no_line() -> None:
    found = compared([usage()], [usage(), owed("0.004", category="Rounding")])
    assert found.total.change == 0
    assert found.rounding == (Decimal(0), Decimal("0.004"))


def test_only_the_first_days_count_if_asked_for() -> None:
    late = usage(start=date(2026, 10, 31))
    found = compared([usage()], [usage(), late, fixed("1", start=date(2026, 10, 31))], BY, 30)
    assert found.total.change == 0


def test_usage_of_later_days_is_left_out() -> None:
    costs = MonthCosts(BY, as_of("2026-10-15"))
    for each in (usage(), left_out(), fixed("1")):
        costs.add(each)
    assert (costs.amount(("contoso",)), costs.left_out) == (1, {})


def test_groups_can_be_finer() -> None:
    found = compared([], [usage(), fixed("1")], ("billing_code", "model"))
    assert [line.group for line in found.lines] == [("CC-1001", "gpt-4o-mini"), ("CC-1001", None)]


def test_volume_is_told_by_unit() -> None:
    found = compared([usage(10), usage(5, tenant="b")], [usage(30), usage(7, tenant="c")])
    assert found.volumes == [Volume(unit="token", before=10, after=30, new=7, vanished=5)]


def test_a_zero_base_has_no_percentage() -> None:
    text = document_table(comparison_document(months(), compared([], [fixed("1")])), 80)
    assert "contoso     0.00     1.00    1.00  n/a" in text


def test_the_basis_and_what_is_missing_is_said() -> None:
    told = months(as_of=as_of("2026-10-10"))
    document = comparison_document(told, compared([left_out()], [usage(), left_out(None)]))
    assert document.facts["basis"] == "whole months of 30 days and 31 days"
    notes = "\n".join(document.notes)
    assert "2026-10 is not over (as of 2026-10-10T00:00:00Z)" in notes
    assert "contoso 1 uncounted and 1 unpriced" in notes
    same = comparison_document(months(first_days=9), compared([], [usage()], BY, 9))
    assert same.facts["basis"] == "the first 9 days of both months"
    assert "rounding, which is in no line" not in "\n".join(same.notes)

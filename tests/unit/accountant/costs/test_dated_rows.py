from __future__ import annotations

from datetime import date

from accounting import OCTOBER
from costing import shared

from accountant.costs.dated_rows import both_hold, days_of, in_words, same_twice


def test_a_row_holds_on_its_days_of_a_month() -> None:
    row = shared(effective_from=date(2026, 9, 30), effective_to=date(2026, 10, 3))
    assert row.days_in(OCTOBER) == [date(2026, 10, 1), date(2026, 10, 2)]
    assert shared().days_in(OCTOBER) == days_of(OCTOBER)


def test_the_first_common_day_of_two_rows_is_found() -> None:
    a = shared(effective_to=date(2026, 10, 3))
    b = shared(effective_from=date(2026, 10, 2))
    after = shared(effective_from=date(2026, 10, 3))
    assert both_hold(a, b) == both_hold(b, a) == date(2026, 10, 2)
    assert both_hold(a, after) is None


def test_pairs_of_one_key_are_found() -> None:
    rows = [shared(), shared(name="desk"), shared()]
    found = list(same_twice((row.name, row) for row in rows))
    assert [(rows.index(a), b is rows[2]) for a, b, _ in found] == [(0, True)]


def test_days_are_told_as_ranges() -> None:
    days = [date(2026, 10, day) for day in (9, 3, 4, 5)]
    assert in_words(days) == "2026-10-03 to 2026-10-05, 2026-10-09"


def test_a_row_knows_its_place() -> None:
    assert shared().place == "row"
    assert shared().at("costs.toml: shared 1 (line 3)").place == "costs.toml: shared 1 (line 3)"

from __future__ import annotations

from datetime import date

import pytest
from accounting import OCTOBER

from accountant.planning.as_of import AsOf, days_between, days_of, months_before
from tollgate.usage.periods import Month


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-10-15", "2026-10-15T00:00:00Z"),
        ("2026-10-15T08:00Z", "2026-10-15T08:00:00Z"),
        ("2026-10-15T01:00:00+02:00", "2026-10-14T23:00:00Z"),
    ],
)
def test_a_time_is_in_utc(text: str, told: str) -> None:
    assert str(AsOf.parse(text)) == told


@pytest.mark.parametrize("text", ["", "today", "2026-10-15T08:00", "2026-13-01"])
def test_what_is_no_time_or_has_no_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a UTC day such as 2026-10-15, or a time with its"):
        AsOf.parse(text)


def test_a_day_is_whole_when_it_is_over() -> None:
    assert len(AsOf.parse("2026-10-15").whole_days(OCTOBER)) == 14
    assert len(AsOf.parse("2026-10-15T23:59Z").whole_days(OCTOBER)) == 14
    assert AsOf.parse("2026-09-30").whole_days(OCTOBER) == []


def test_today_is_known_when_it_has_begun() -> None:
    day = date(2026, 10, 15)
    assert not AsOf.parse("2026-10-15").knows(day)
    assert AsOf.parse("2026-10-15T00:01Z").knows(day)
    assert AsOf.parse("2026-10-16").knows(day)


def test_a_month_is_over_with_its_last_instant() -> None:
    assert AsOf.parse("2026-11-01").is_over(OCTOBER)
    assert not AsOf.parse("2026-10-31T23:59:59Z").is_over(OCTOBER)


def test_months_before_go_over_the_year_and_stop_at_the_first() -> None:
    assert list(map(str, months_before(Month(2026, 2), 3))) == ["2025-11", "2025-12", "2026-01"]
    assert list(map(str, months_before(Month(1, 2), 3))) == ["0001-01"]


def test_days_are_both_ends() -> None:
    assert len(days_of(OCTOBER)) == 31
    assert len(days_between(date(2026, 9, 30), date(2026, 10, 2))) == 3
    assert days_between(date(2026, 10, 2), date(2026, 10, 1)) == []

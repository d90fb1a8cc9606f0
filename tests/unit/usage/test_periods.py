from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tollgate.usage.periods import Month, day_of, hour_of


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "26-01", "2026-10-01", "", "x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM"):
        Month.parse(text)


def test_a_month_ends_where_the_next_one_starts() -> None:
    assert Month.parse("2026-12").end == Month.parse("2027-01").start
    assert Month.parse("2026-10").end == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("month", "days"), [("2026-10", 31), ("2027-02", 28), ("2028-02", 29), ("9999-12", 31)]
)
def test_a_month_has_its_days_and_hours(month: str, days: int) -> None:
    parsed = Month.parse(month)
    assert len(parsed.days()) == days
    assert len(parsed.hours()) == days * 24
    assert parsed.hours()[0] == f"{month}-01T00"
    assert parsed.hours()[-1] == f"{month}-{days}T23"


def test_hours_and_days_are_utc_wherever_the_time_was_taken() -> None:
    tokyo = timezone(timedelta(hours=9))
    time = datetime(2026, 11, 1, 8, 59, tzinfo=tokyo)
    assert hour_of(time) == "2026-10-31T23"
    assert day_of(time) == "2026-10-31"

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

from accounting import OCTOBER
from spending import as_of, days, fixed, horizon, spend_of

from accountant.planning.daily_spend import DailySpend
from accountant.planning.forecast import Forecast, MonthForecast, month_forecast
from accountant.planning.forecast_document import forecast_document

AUGUST_1 = date(2026, 8, 1)
WHOLE = days(AUGUST_1, 92)  # August to October
OCTOBER_1, OCTOBER_16 = date(2026, 10, 1), date(2026, 10, 16)
MONTH_COST = sum(amount for day, amount in WHOLE.items() if day >= OCTOBER_1)


def one(found: MonthForecast) -> Forecast:
    assert [each.tenant for each in found.tenants] == ["contoso"]
    return found.tenants[0]


def test_weeks_that_are_all_alike_end_where_they_must() -> None:
    found = one(month_forecast(horizon(), spend_of({"contoso": WHOLE})))
    assert found.method == "weekday"
    assert found.expected == found.low == found.high == MONTH_COST
    assert found.trained == (AUGUST_1, date(2026, 10, 15))


def test_only_whole_days_are_learnt_from_and_today_stands_apart() -> None:
    time = as_of("2026-10-16T08:00Z")
    found = one(
        month_forecast(horizon("2026-10-16T08:00Z"), spend_of({"contoso": WHOLE}, (), time))
    )
    assert found.today == WHOLE[OCTOBER_16]
    assert found.actual == sum(WHOLE[day] for day in WHOLE if OCTOBER_1 <= day < OCTOBER_16)
    assert found.expected == MONTH_COST


def test_today_is_at_least_what_it_has_already() -> None:
    wild = WHOLE | {OCTOBER_16: Decimal(1000)}
    time = as_of("2026-10-16T08:00Z")
    found = one(month_forecast(horizon("2026-10-16T08:00Z"), spend_of({"contoso": wild}, (), time)))
    assert found.expected == MONTH_COST - WHOLE[OCTOBER_16] + 1000


def test_one_offs_are_added_as_they_are_and_not_learnt_from() -> None:
    plain = one(month_forecast(horizon(), spend_of({"contoso": WHOLE})))
    found = one(month_forecast(horizon(), spend_of({"contoso": WHOLE}, [fixed("500")])))
    assert found.coming == plain.coming
    assert found.expected == MONTH_COST + 500
    assert (found.known, found.one_offs) == (plain.known + 500, Decimal(500))


def test_the_run_rate_is_the_mean_of_the_months_whole_days() -> None:
    series = days(OCTOBER_1, 15, lambda _: "2")
    found = one(month_forecast(horizon(), spend_of({"contoso": series}, [fixed("5")])))
    assert (found.method, found.low, found.high) == ("run_rate", None, None)
    assert found.run_rate == found.expected == 2 * 31 + 5


def test_before_a_day_is_over_the_history_gives_the_run_rate() -> None:
    series = days(date(2026, 9, 21), 10, lambda _: "2")
    found = one(month_forecast(horizon("2026-10-01"), spend_of({"contoso": series})))
    assert (found.run_rate, found.expected) == (None, Decimal(62))


def test_without_any_history_nothing_is_foreseen() -> None:
    time = as_of("2026-10-01T12:00Z")
    spend = spend_of({"contoso": {OCTOBER_1: Decimal(3)}}, (), time)
    found = month_forecast(horizon("2026-10-01T12:00Z"), spend)
    assert (one(found).method, one(found).expected, one(found).known) == ("none", None, Decimal(3))
    assert found.total.expected is None


def test_a_month_that_is_over_is_what_it_was() -> None:
    time = as_of("2026-11-05")
    found = month_forecast(horizon("2026-11-05"), spend_of({"contoso": WHOLE}, (), time))
    assert one(found).method == found.total.method == "actual"
    assert one(found).expected == one(found).low == found.total.high == MONTH_COST


def test_a_month_to_come_is_foreseen_from_history() -> None:
    found = one(month_forecast(horizon("2026-09-30"), spend_of({"contoso": WHOLE})))
    assert (found.expected, found.actual, found.run_rate) == (MONTH_COST, Decimal(0), None)


def test_the_total_is_the_sum_and_its_interval_that_of_the_daily_sums() -> None:
    """What one tenant uses less, the other uses more: in all there is no doubt."""
    up = {day: Decimal(100 + 10 * (place % 2)) for place, day in enumerate(WHOLE)}
    down = {day: Decimal(100 - 10 * (place % 2)) for place, day in enumerate(WHOLE)}
    found = month_forecast(horizon(), spend_of({"a": up, "b": down}))
    assert found.total.expected == sum(each.expected or 0 for each in found.tenants)
    assert all(each.low != each.high for each in found.tenants)
    assert found.total.low == found.total.expected == found.total.high == 200 * 31


def test_an_interval_does_not_go_below_what_is_charged() -> None:
    wild = {day: Decimal(1000 if place % 9 == 0 else 0) for place, day in enumerate(WHOLE)}
    found = one(month_forecast(horizon(), spend_of({"contoso": wild})))
    assert found.low == found.known


def test_a_tenant_that_is_only_uncounted_has_nothing_and_everyone_is_told() -> None:
    spend = DailySpend(as_of())
    spend.left_out[OCTOBER, "contoso"]["uncounted"] += 2
    found = month_forecast(horizon(), spend)
    assert one(found).known == 0
    notes = "\n".join(forecast_document(found, {"contoso": Counter(uncounted=2)}).notes)
    assert "Lower bound: lines of usage that are in no figure here (contoso 2 uncounted)." in notes


def test_method_level_and_window_are_said() -> None:
    young = days(date(2026, 10, 10), 5)
    found = month_forecast(horizon(level_percent=95), spend_of({"contoso": WHOLE, "new": young}))
    document = forecast_document(found, {})
    notes = "\n".join(document.notes)
    assert document.facts["level_percent"] == 95
    assert "As of 2026-10-16T00:00:00Z: 15 of 31 days are over." in notes
    assert "trained on 2026-08-01 to 2026-10-15" in notes
    assert "Interval: 95 of 100 months should end in it" in notes
    assert "By run rate, as there are less than 28 days of history" in notes

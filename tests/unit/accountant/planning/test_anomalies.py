from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from accounting import OCTOBER
from spending import WEEK, as_of, days

from accountant.planning.anomalies import Anomalies, Watch, anomalies
from accountant.planning.anomalies_document import anomalies_document
from accountant.planning.daily_spend import Days, Series
from accountant.planning.sheet_table import document_table

AUGUST_1 = date(2026, 8, 1)
WHOLE = days(AUGUST_1, 92)
WEDNESDAY, SATURDAY = date(2026, 10, 14), date(2026, 10, 17)


def watch(**changes: Any) -> Watch:
    made: dict[str, Any] = {
        "month": OCTOBER,
        "as_of": as_of("2026-11-01"),
        "currency": "USD",
        "least_impact": Decimal(1),
    }
    return Watch(**made | changes)


def found(series: Mapping[date, Decimal], model: str | None = "m", **changes: Any) -> Anomalies:
    return anomalies(watch(**changes), {("contoso", model): series})


def told(all_of: Anomalies) -> list[tuple[date, str]]:
    return [(each.day, each.kind) for each in all_of.found]


def test_days_as_expected_are_none() -> None:
    assert told(found(WHOLE)) == []
    assert (found(WHOLE).judged, found(WHOLE).too_young) == (31, 0)


def test_a_day_far_above_is_a_spike_with_its_impact_in_money() -> None:
    all_of = found(WHOLE | {WEDNESDAY: Decimal("305.5")})
    assert told(all_of) == [(WEDNESDAY, "spike")]
    spike = all_of.found[0]
    assert (spike.expected, spike.impact, spike.threshold) == (105, Decimal("200.5"), 1)


def test_what_is_much_on_a_saturday_is_less_than_a_weekday_costs() -> None:
    assert told(found(WHOLE | {SATURDAY: Decimal(100)})) == [(SATURDAY, "spike")]


def test_a_day_far_below_is_a_drop_and_one_without_usage_a_silence() -> None:
    quiet = {day: amount for day, amount in WHOLE.items() if day != SATURDAY}
    all_of = found(quiet | {WEDNESDAY: Decimal(5)})
    assert told(all_of) == [(WEDNESDAY, "drop"), (SATURDAY, "silence")]
    assert [each.impact for each in all_of.found] == [-100, -20]


def test_a_day_without_usage_is_no_silence_where_there_were_such_days() -> None:
    idle = {date(2026, 9, 16), WEDNESDAY}
    noisy = {
        day: amount * (1 + Decimal(place % 5) / 2)
        for place, (day, amount) in enumerate(WHOLE.items())
        if day not in idle
    }
    assert (WEDNESDAY, "silence") not in told(found(noisy))


def test_a_small_impact_is_silent() -> None:
    all_of = WHOLE | {WEDNESDAY: Decimal(300)}
    assert told(found(all_of, least_impact=Decimal(200))) == []
    assert told(found(all_of, least_impact=Decimal(190))) == [(WEDNESDAY, "spike")]


def test_the_threshold_is_worked_out_by_hand() -> None:
    """Every second week is a fifth dearer: days lie a fifth, or a sixth, from the others."""
    waves = {
        day: Decimal(120 if (day - AUGUST_1).days // 7 % 2 else 100) for day in days(AUGUST_1, 92)
    }
    all_of = found(waves | {WEDNESDAY: Decimal(500)})
    assert told(all_of) == [(WEDNESDAY, "spike")]
    # The others of 100 have the median 120, those of 120 have 100; of 28 sixths and 28 fifths the
    # median is 11/60, and 3.5 x 1.4826 x 11/60 x 110 is 104.6468...
    assert (all_of.found[0].expected, all_of.found[0].threshold) == (110, Decimal("104.646850"))


def test_a_young_series_is_not_judged() -> None:
    young = found(days(date(2026, 10, 5), 27, lambda day: str(day.day**3)))
    assert (told(young), young.judged, young.too_young) == ([], 0, 27)


def test_the_first_day_of_a_model_is_told_of_a_known_tenant() -> None:
    new = days(WEDNESDAY, 10)
    usage: dict[Series, Days] = {
        ("contoso", "m"): WHOLE,
        ("contoso", None): new,
        ("fabrikam", "m"): new,
    }
    all_of = anomalies(watch(), usage)
    assert told(all_of) == [(WEDNESDAY, "new")]
    assert (all_of.found[0].model, all_of.found[0].expected) == (None, 0)


def test_days_that_are_not_over_are_not_looked_at() -> None:
    usage = {day: amount for day, amount in WHOLE.items() if day < WEDNESDAY}
    assert told(found(usage, as_of=as_of("2026-10-14T09:00Z"))) == []
    assert found(usage, as_of=as_of("2026-10-14T09:00Z")).judged == 13


def test_no_later_day_changes_a_verdict() -> None:
    spiked = WHOLE | {WEDNESDAY: Decimal(900)}
    until = {day: amount for day, amount in spiked.items() if day <= WEDNESDAY}
    early = found(until, as_of=as_of("2026-10-15"))
    assert early.found == [each for each in found(spiked).found if each.day <= WEDNESDAY]


def test_noise_is_silent() -> None:
    far_out = 0
    for seed in range(40):
        random = Random(seed)  # noqa: S311  noise
        series = days(
            AUGUST_1,
            92,
            lambda day, random=random: f"{int(WEEK[day.weekday()]) * random.gauss(1, 0.12):.4f}",
        )
        far_out += len(found(series, least_impact=Decimal(0)).found)
    assert far_out / (40 * 31) < 0.01


def test_the_largest_impact_of_a_day_comes_first() -> None:
    usage: dict[Series, Days] = {
        ("contoso", "small"): WHOLE | {WEDNESDAY: Decimal(205)},
        ("contoso", "large"): WHOLE | {WEDNESDAY: Decimal(905)},
    }
    assert [each.model for each in anomalies(watch(), usage).found] == ["large", "small"]


def test_method_and_threshold_are_said() -> None:
    document = anomalies_document(
        watch(), found(WHOLE | {WEDNESDAY: Decimal(305)}), {"contoso": Counter(unpriced=1)}
    )
    assert document.facts["window_days"] == 56
    text = document_table(document, 80)
    assert "2026-10-14  contoso  m      spike    105.00  305.00  200.00       1.00" in text
    assert "3.5 x\n1.4826 MAD" in text
    assert "Differences below 1 USD are not" in text
    assert "contoso 1 unpriced" in text

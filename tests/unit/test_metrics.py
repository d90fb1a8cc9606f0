from __future__ import annotations

import pytest

from tollgate.metrics import Counter, Gauge, Histogram, Metrics


def test_the_text_is_prometheus_own() -> None:
    metrics = Metrics()
    outcomes = Counter("t_events_total", "What became of them.", "outcome", ("applied", "late"))
    lag = Histogram("t_lag_seconds", "How late.", (0.5, 10))
    metrics.add(outcomes, Gauge("t_depth", "What waits.", lambda: 7), lag)
    outcomes.add(3, "applied")
    for value in (0.5, 0.6, 11.0):
        lag.observe(value)
    assert metrics.exposition() == (
        "# HELP t_events_total What became of them.\n"
        "# TYPE t_events_total counter\n"
        't_events_total{outcome="applied"} 3\n'
        't_events_total{outcome="late"} 0\n'
        "# HELP t_depth What waits.\n"
        "# TYPE t_depth gauge\n"
        "t_depth 7\n"
        "# HELP t_lag_seconds How late.\n"
        "# TYPE t_lag_seconds histogram\n"
        't_lag_seconds_bucket{le="0.5"} 1\n'
        't_lag_seconds_bucket{le="10"} 2\n'
        't_lag_seconds_bucket{le="+Inf"} 3\n'
        "t_lag_seconds_sum 12.1\n"
        "t_lag_seconds_count 3\n"
    )


def test_a_snapshot_has_a_plain_name_for_each_number_and_no_buckets() -> None:
    metrics = Metrics()
    lag = Histogram("t_lag_seconds", "How late.", (1,))
    metrics.add(Counter("t_total", "All."), Counter("t_events_total", "", "outcome", ("late",)))
    metrics.add(lag)
    lag.observe(2)
    assert metrics.snapshot() == {
        "t_total": 0,
        "t_events_total_late": 0,
        "t_lag_seconds_sum": 2.0,
        "t_lag_seconds_count": 1,
    }


def test_what_is_not_known_is_not_shown_as_zero() -> None:
    metrics = Metrics()
    metrics.add(Gauge("t_age_seconds", "How old.", lambda: None))
    assert metrics.snapshot() == {}
    lines = metrics.exposition().splitlines()
    assert [line for line in lines if not line.startswith("#")] == []


def test_a_kind_that_was_not_named_beforehand_is_a_bug() -> None:
    counter = Counter("t_events_total", "", "outcome", ("late",))
    with pytest.raises(KeyError):
        counter.add(1, "a tenant's name")


def test_a_metric_of_the_same_name_gives_way() -> None:
    metrics = Metrics()
    for depth in (1, 2):
        metrics.add(Gauge("t_depth", "What waits.", lambda depth=depth: depth))
    assert metrics.snapshot() == {"t_depth": 2}

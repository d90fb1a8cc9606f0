from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from metrics_service import resource_id

from accountant.reconciliation.csv_files import Problems
from accountant.reconciliation.metrics_points import MAX_SERIES, Point, metrics_points
from tollgate.errors import SettingsError

WEU = resource_id("weu-1")
PROMPT = "ProcessedPromptTokens"


def series(total: Any = 7.0, time: str = "2026-10-15T00:00:00Z", **more: str) -> dict[str, Any]:
    dimensions = {"modeldeploymentname": "mini", **more}
    return {
        "metadatavalues": [{"name": {"value": k}, "value": v} for k, v in dimensions.items()],
        "data": [{"timeStamp": time, "total": total}],
    }


def metric(*all_series: dict[str, Any], name: str = PROMPT, **members: Any) -> dict[str, Any]:
    return {"name": {"value": name}, "timeseries": [*all_series], **members}


def batch(*metrics: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"values": [{"resourceid": WEU, "interval": "P1D", "value": [*metrics], **members}]}


def points(document: Any) -> list[Point]:
    problems = Problems()
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    found = [*metrics_points(raw, "m.json", problems)]
    problems.check()
    return found


def refused(document: Any) -> list[str]:
    with pytest.raises(SettingsError) as found:
        points(document)
    return [each.removeprefix("m.json: ") for each in found.value.problems]


def test_an_answer_about_many_resources() -> None:
    (point,) = points(batch(metric(series())))
    assert (point.resource, point.metric, point.deployment) == (WEU, PROMPT, "mini")
    assert (point.status, point.day, point.total) == (None, date(2026, 10, 15), 7)


def test_what_az_monitor_metrics_list_prints() -> None:
    metric_id = f"{WEU}/providers/Microsoft.Insights/metrics/{PROMPT}"
    document = {"cost": 1, "interval": "P1D", "value": [metric(series(), id=metric_id)]}
    assert points(document)[0].resource == WEU


def test_a_status_is_another_dimension() -> None:
    found = points(batch(metric(series(statuscode="400"), name="AzureOpenAIRequests")))
    assert found[0].status == "400"


def test_hours_are_of_their_utc_day() -> None:
    document = batch(metric(series(time="2026-10-15T23:00:00-05:00")), interval="PT1H")
    assert points(document)[0].day == date(2026, 10, 16)


def test_other_metrics_and_hours_without_a_sum_are_left_out() -> None:
    assert points(batch(metric(series(), name="Latency"), metric(series(None)))) == []


def test_a_series_without_sums_needs_no_deployment() -> None:
    assert points(batch(metric({"metadatavalues": [], "data": []}))) == []


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"{", "is not JSON: Expecting property name"),
        (b"\xff", "is not JSON: "),
        ({}, "values.0.value: Field required"),
        ([], "values.0: Input should be"),
        ({"values": []}, "values: List should have at least 1 item"),
        (batch(metric(series("many"))), "values.0.value.0.timeseries.0.data.0.total: Input"),
        (batch(metric(series(1.5))), f"{PROMPT} of weu-1: 2026-10-15 00:00: 1.5 is no count"),
        (batch(metric(series(-1.0))), f"{PROMPT} of weu-1: 2026-10-15 00:00: -1.0 is no count"),
        (batch(metric(series()), interval="P7D"), "has sums of 7 days, 0:00:00; ask for an"),
        (
            batch(metric(series(time="2026-10-15T08:30:00Z"))),
            f"{PROMPT} of weu-1: 2026-10-15 08:30:00+00:00 begins no UTC day",
        ),
        (
            batch(metric(series(time="2026-10-15T00:00:00"))),
            f"{PROMPT} of weu-1: 2026-10-15 00:00:00 begins no UTC day",
        ),
        (
            batch(metric({"data": series()["data"]})),
            f"{PROMPT} of weu-1: is not split by ModelDeploymentName",
        ),
        (
            batch(metric(errorCode="InvalidSamplingType", errorMessage="no Total")),
            f"{PROMPT} of weu-1: InvalidSamplingType: no Total",
        ),
        (batch(metric(errorCode="Throttled")), f"{PROMPT} of weu-1: Throttled: no more is said"),
        (
            batch(metric(*[series(None)] * MAX_SERIES)),
            f"{PROMPT} of weu-1: has 1,000 series, and perhaps more",
        ),
    ],
)
def test_what_is_wrong_or_not_whole_is_told(document: Any, told: str) -> None:
    (problem,) = refused(document)
    assert problem.startswith(told)


def test_every_problem_is_told() -> None:
    assert len(refused(batch(metric(series(1.5), series(-1.0))))) == 2


def test_a_metric_of_no_resource_is_told_apart() -> None:
    (point,) = points({"value": [metric(series(), id="metrics/x")]})
    assert point.resource == ""
    assert "no resource" in point.place

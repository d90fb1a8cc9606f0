from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from accounting import OCTOBER
from metrics_service import resource_id
from reconciling import THE_15TH, metrics_json, prompt

from accountant.reconciliation.csv_files import Problems
from accountant.reconciliation.metrics import metrics_side, read_metrics
from accountant.reconciliation.metrics_points import Point
from accountant.reconciliation.naming import Naming, ResourceMap
from accountant.reconciliation.sides import Provided, ProviderSide
from tollgate.errors import SettingsError

REQUESTS = prompt(meter="requests")
NAMING = Naming(ResourceMap(), ["weu-1"], ["gpt-4o-mini"])


def point(total: int = 7, **changes: Any) -> Point:
    made: dict[str, Any] = {
        "resource": resource_id("weu-1"),
        "metric": "ProcessedPromptTokens",
        "deployment": "gpt-4o-mini",
        "status": None,
        "day": THE_15TH,
        "place": "m.json: here",
        **changes,
    }
    series = tuple(str(value) for value in made.values())
    return Point(total=total, series=series, **made)


def requests(total: int, status: str | None) -> Point:
    return point(total, metric="AzureOpenAIRequests", status=status)


def side(points: Iterable[Point]) -> ProviderSide:
    problems = Problems()
    found = metrics_side(points, OCTOBER, NAMING, ["m.json"], problems)
    problems.check()
    return found


def table(tmp_path: Path, content: str) -> ProviderSide:
    path = tmp_path / "m.csv"
    path.write_text(content)
    problems = Problems()
    found = metrics_side(read_metrics([path], problems), OCTOBER, NAMING, ["m.csv"], problems)
    problems.check()
    return found


def test_tokens_are_added_by_deployment_and_day() -> None:
    found = side([point(7), point(5, place="x"), point(3, metric="GeneratedTokens")])
    assert found.counts == {
        (THE_15TH, prompt()): Provided(quantity=12),
        (THE_15TH, prompt(meter="completion")): Provided(quantity=3),
    }


def test_requests_are_those_that_were_answered() -> None:
    statuses = {"200": 90, "201": 1, "400": 4, "404": 1, "408": 2, "429": 50, "499": 3, "503": 5}
    found = side([requests(count, status) for status, count in statuses.items()])
    assert found.counts[THE_15TH, REQUESTS] == Provided(quantity=91, blocked=4, broken=10)
    assert found.counts[THE_15TH, prompt()] == Provided(blocked=4, broken=10)
    assert {each.what: each.quantity for each in found.apart} == {
        f"requests answered {status}": count
        for status, count in statuses.items()
        if status[0] != "2"
    }


def test_requests_without_a_status_cannot_be_compared() -> None:
    found = side([requests(90, None)])
    assert found.counts == {}
    assert [(each.kind, each.quantity) for each in found.apart] == [("no_status", 90)]
    assert "requests" in found.silent


def test_a_metric_that_is_not_there_is_silent() -> None:
    assert side([point()]).silent == {"completion", "requests"}
    assert side([]).silent == {"prompt", "completion", "requests"}


def test_calls_of_no_deployment_and_other_months_stand_apart() -> None:
    found = side([point(deployment=""), point(9, day=date(2026, 11, 1))])
    assert found.counts == {}
    assert [(each.kind, each.quantity, each.unit) for each in found.apart] == [
        ("no_deployment", 7, "token"),
        ("other_month", 9, "token"),
    ]


def test_days_without_use_are_nothing() -> None:
    found = side([point(0), requests(0, "429")])
    assert (found.counts, found.apart) == ({}, ())


def test_a_point_that_is_there_twice_is_told() -> None:
    with pytest.raises(SettingsError, match=r"m\.json: here: is there twice"):
        side([point(), point()])


def test_a_saved_answer_is_read(tmp_path: Path) -> None:
    path, problems = tmp_path / "m.json", Problems()
    path.write_text(metrics_json(("GeneratedTokens", "2026-10-15", 7)))
    (found,) = read_metrics([path, tmp_path / "none.json"], problems)
    assert (found.metric, found.total) == ("GeneratedTokens", 7)
    with pytest.raises(SettingsError, match=r"none\.json: cannot be read: No such file"):
        problems.check()


def test_a_table_is_read(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        "Day,Resource,Deployment,Metric,StatusCode,Total\n"
        "2026-10-15,weu-1,GPT-4o-mini,processedprompttokens,,7\n"
        "2026-10-15,weu-1,gpt-4o-mini,AzureOpenAIRequests,200,3.0\n",
    )
    assert found.counts == {
        (THE_15TH, prompt()): Provided(quantity=7),
        (THE_15TH, REQUESTS): Provided(quantity=3),
    }


def test_every_mistake_of_a_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as found:
        table(
            tmp_path,
            "Day,Resource,Deployment,Metric,Total\n"
            "yesterday,weu-1,x,Latency,many\n"
            "2026-10-15,weu-1,x,GeneratedTokens,1.5\n"
            "2026-10-15,weu-1,x,GeneratedTokens,1\n"
            "2026-10-15,WEU-1,X,generatedtokens,2\n",
        )
    known = "ProcessedPromptTokens, GeneratedTokens, AzureOpenAIRequests"
    assert [each.partition("m.csv: ")[2] for each in found.value.problems] == [
        "line 2: day: 'yesterday' is no day, as 2026-10-31",
        "line 2: total: 'many' is no count",
        f"line 2: metric: 'Latency' is none of {known}",
        "line 3: total: '1.5' is no count",
        "line 5: is there twice",
    ]

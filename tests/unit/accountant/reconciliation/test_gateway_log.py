from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accounting import OCTOBER
from kql import unknown_names
from reconciling import THE_15TH

from accountant.reconciliation.gateway_log import log_side, usage_by_deployment
from accountant.reconciliation.items import Item
from accountant.reconciliation.naming import Naming, ResourceMap

NAMING = Naming(ResourceMap(), [], ["gpt-4o-mini"])


def row(**changes: Any) -> dict[str, Any]:
    made = {
        "Day": datetime(2026, 10, 15, tzinfo=UTC),
        "DeploymentName": "gpt-4o-mini",
        "PromptTokens": 700,
        "CompletionTokens": 70,
        "Requests": 3,
    }
    return {**made, **changes}


def test_the_query_has_nothing_that_the_log_does_not_have() -> None:
    query = usage_by_deployment(OCTOBER.start, OCTOBER.end)
    assert unknown_names(query) == set()
    assert "TimeGenerated >= datetime(2026-10-01T00:00:00Z)" in query
    assert "TimeGenerated < datetime(2026-11-01T00:00:00Z)" in query


def test_rows_are_added_by_deployment_and_day() -> None:
    found = log_side([row(), row(DeploymentName="GPT-4o-Mini")], OCTOBER, NAMING, "w")
    assert found.of == ("w",)
    assert {item.meter: each.quantity for (_, item), each in found.counts.items()} == {
        "prompt": 1400,
        "completion": 140,
        "requests": 6,
    }
    assert (THE_15TH, Item(deployment="gpt-4o-mini", meter="prompt")) in found.counts


def test_what_has_no_count_and_other_months_are_left_out() -> None:
    november = datetime(2026, 11, 1, tzinfo=UTC)
    rows = [row(PromptTokens=None, CompletionTokens=0), row(Day=november)]
    found = log_side(rows, OCTOBER, NAMING, "w")
    assert [item.meter for _, item in found.counts] == ["requests"]

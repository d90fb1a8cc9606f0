"""The backfill's queries against the tables that they read, and their columns against the rows."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec
import pytest
from builders import NOON
from kql import unknown_names
from log_workspace import COLUMNS

from tollgate.events.gateway_log import LoggedCall, calls_by_api, calls_by_id

QUERIES = [calls_by_id(["req-1"]), calls_by_api(["openai"], NOON, NOON + timedelta(hours=1))]
every_query = pytest.mark.parametrize("query", QUERIES, ids=["by id", "by api"])


@every_query
def test_every_name_is_a_column_or_made_by_the_query(query: str) -> None:
    assert unknown_names(query) == set()


@every_query
def test_a_call_is_counted_once_from_the_row_that_has_its_counts(query: str) -> None:
    calls = query.split("let calls =", 1)[1].split(";", 1)[0]
    assert "isnotempty(DeploymentName)" in calls
    assert "by CorrelationId" in calls


@every_query
def test_its_columns_are_what_a_call_is_made_of(query: str) -> None:
    shown = query.rsplit("| project ", 1)[1].strip().split(", ")
    assert shown == list(COLUMNS)
    assert shown[0] == "CorrelationId"
    read = {field.encode_name for field in msgspec.structs.fields(LoggedCall)}
    assert read == set(shown)


def test_a_pending_call_whose_request_is_logged_late_is_still_found() -> None:
    assert [re.findall(r"join kind=(\w+)", query) for query in QUERIES] == [
        ["leftouter"],
        ["inner"],
    ]

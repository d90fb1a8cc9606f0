from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest
from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from tollgate.events.gateway_log import (
    NAME_IN_QUERY,
    calls_by_api,
    calls_by_id,
    logged_calls,
)


def row(call_id: str = "req-1", **changes: Any) -> dict[str, Any]:
    return {"CorrelationId": call_id, "TimeGenerated": NOON, "PromptTokens": 7, **changes}


def test_ids_and_apis_stand_in_the_query_as_a_list() -> None:
    assert 'let ids = dynamic(["req-1", "req-2"]);' in calls_by_id(["req-1", "req-2"])
    query = calls_by_api(["openai", "v1"], NOON, NOON + timedelta(hours=1))
    assert 'let apis = dynamic(["openai", "v1"]);' in query


def test_times_are_written_in_utc() -> None:
    paris = NOON.astimezone(timezone(timedelta(hours=2)))
    query = calls_by_api(["openai"], paris, paris + timedelta(hours=1))
    assert "let since = datetime(2026-10-15T12:00:00.000000Z);" in query
    assert "let until = datetime(2026-10-15T13:00:00.000000Z);" in query


@given(st.text())
def test_no_name_is_ever_syntax(name: str) -> None:
    if NAME_IN_QUERY.fullmatch(name):
        assert f'["{name}"]' in calls_by_id([name])
        return
    with pytest.raises(ValueError, match="cannot stand in a query"):
        calls_by_id([name])
    with pytest.raises(ValueError, match="cannot stand in a query"):
        calls_by_api([name], NOON, NOON)


def test_of_several_rows_of_a_call_the_last_stands() -> None:
    later = NOON + timedelta(seconds=1)
    rows = [row(TimeGenerated=later, PromptTokens=9), row(PromptTokens=8), row("req-2")]
    calls = logged_calls(rows)
    assert {call_id: call.prompt_tokens for call_id, call in calls.items()} == {
        "req-1": 9,
        "req-2": 7,
    }


def test_what_the_log_does_not_say_is_not_known() -> None:
    call = logged_calls([row(PromptTokens=None)])["req-1"]
    assert (call.prompt_tokens, call.model, call.streamed) == (None, None, None)


@pytest.mark.parametrize(
    "spoilt", [{"PromptTokens": 1.5}, {"TimeGenerated": "noon"}, {"CorrelationId": None}]
)
def test_a_row_that_cannot_be_read_does_not_hold_the_others_up(
    spoilt: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert list(logged_calls([row() | spoilt, row("req-2")])) == ["req-2"]
    assert "a row of the gateway's log cannot be read, and is left out" in caplog.text

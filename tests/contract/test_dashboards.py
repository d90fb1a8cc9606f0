"""The queries against the tables that they read and the policies that fill them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import NOON, raw_event
from kql import unknown_names

from tollgate.events.intake_metrics import IntakeMetrics
from tollgate.events.journal import Journal
from tollgate.events.journal_watch import JournalWatch
from tollgate.functions.runtime import METRICS_LINE
from tollgate.metrics import Metrics
from tollgate.usage.event import decode_event

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "dashboards"
QUERIES = {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.kql"))}
README = (FOLDER / "README.md").read_text("utf-8")
POLICIES = sorted((ROOT / "gateway_policies").glob("*.xml"))
TRACE = (ROOT / "gateway_policies/fragments/tollgate-trace.xml").read_text("utf-8")
every_query = pytest.mark.parametrize("name", QUERIES)
calls_query = pytest.mark.parametrize(
    "name", [name for name, query in QUERIES.items() if "ApiManagementGatewayLlmLog" in query]
)


@every_query
def test_every_name_is_a_column_or_made_by_the_query(name: str) -> None:
    assert unknown_names(QUERIES[name]) == set()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("sum(PromptTokens)", "sum(InputTokens)"),
        ("ApiManagementGatewayLlmLog", "ApiManagementGatewayLlmLogs"),
        ("isnotempty(DeploymentName)", "isnotempty(Deployment)"),
        ("expand record = TraceRecords", "expand record = Traces"),
    ],
)
def test_wrong_name_is_found(right: str, wrong: str) -> None:
    query = QUERIES["tokens_by_billing_code.kql"]
    assert right in query
    assert unknown_names(query.replace(right, wrong))


@calls_query
def test_call_is_counted_once_from_the_row_that_has_its_counts(name: str) -> None:
    calls = QUERIES[name].split("let calls =", 1)[1].split(";", 1)[0]
    assert "isnotempty(DeploymentName)" in calls
    assert "by CorrelationId" in calls


@calls_query
def test_call_without_a_log_row_or_claim_stays_in_the_total(name: str) -> None:
    joins = re.findall(r"\| join ([^\n]*)", QUERIES[name])
    assert joins
    assert all(join.startswith("kind=leftouter ") for join in joins)
    assert all(join.endswith(" on CorrelationId") for join in joins)


@calls_query
def test_calls_of_unknown_size_are_shown(name: str) -> None:
    assert "countif(isnull(TotalTokens))" in QUERIES[name]


@calls_query
def test_billing_code_is_read_where_the_policy_writes_it(name: str) -> None:
    source = re.search(r'<trace source="(\w+)"', TRACE)
    member = re.search(r'new JProperty\("(\w+)"', TRACE)
    assert source is not None
    assert member is not None
    assert f'record.source) == "{source[1]}"' in QUERIES[name]
    assert f"parse_json(tostring(record.message)).{member[1]}" in QUERIES[name]


def test_every_policy_writes_the_billing_code() -> None:
    assert POLICIES
    for policy in POLICIES:
        assert '<include-fragment fragment-id="tollgate-trace" />' in policy.read_text("utf-8")


@every_query
def test_readme_says_what_the_query_shows(name: str) -> None:
    assert f"| `{name}` |" in README


def test_readme_says_that_this_is_no_invoice() -> None:
    assert "## What it is not" in README
    assert "not the invoice" in README


def test_the_watch_reads_numbers_that_are_logged(tmp_path: Path) -> None:
    metrics = Metrics()
    IntakeMetrics(metrics).applied([decode_event(raw_event())], NOON, 0.1)
    journal = Journal(tmp_path)
    journal.record_raw(raw_event())
    JournalWatch(journal, 1, lambda: NOON).show_in(metrics)
    query = QUERIES["ledger_watch.kql"]
    read = {*re.findall(r"\b(?:read|before)\.(\w+)", query)}
    assert len(read) > 10
    assert read - {"process"} <= metrics.snapshot().keys()
    assert f'Message startswith "{METRICS_LINE} "' in query
    journal.close()

"""What API Management logged of calls to language models: the queries, and their rows.

A call has one row in `ApiManagementGatewayLogs` and several in `ApiManagementGatewayLlmLog`: one
with the counts, which names the deployment, and others with pieces of messages. Sources: the
tables' references under learn.microsoft.com/azure/azure-monitor/reference/tables.

Kusto's query API has no parameters. What stands in a query is times that are written here, and
names that hold nothing but letters, digits, dots, dashes and underscores.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec

NAME_IN_QUERY: Final = re.compile(r"[0-9A-Za-z._-]{1,128}")

_log: Final = logging.getLogger(__name__)

_CALLS: Final = """\
let calls = ApiManagementGatewayLlmLog
    | where {which_calls} and isnotempty(DeploymentName)
    | summarize arg_max(TimeGenerated, DeploymentName, ModelName, PromptTokens, CompletionTokens, \
TotalTokens, IsStreamCompletion) by CorrelationId;
let requests = ApiManagementGatewayLogs
    | where {which_requests}
    | summarize arg_max(TimeGenerated, ApimSubscriptionId, BackendId, ResponseCode, OperationId) \
by CorrelationId
    | project CorrelationId, ApimSubscriptionId, BackendId, ResponseCode, OperationId;
calls
| join kind={join} requests on CorrelationId
| project CorrelationId, TimeGenerated, DeploymentName, ModelName, PromptTokens, CompletionTokens, \
TotalTokens, IsStreamCompletion, ApimSubscriptionId, BackendId, ResponseCode, OperationId
"""
# The two tables stamp the same call apart from each other.
_BY_ID: Final = "let ids = dynamic({ids});\n" + _CALLS.format(
    which_calls="CorrelationId in (ids)", which_requests="CorrelationId in (ids)", join="leftouter"
)
_BY_API: Final = (
    "let apis = dynamic({apis});\nlet since = datetime({since});\nlet until = datetime({until});\n"
    + _CALLS.format(
        which_calls="TimeGenerated >= since and TimeGenerated < until",
        which_requests="TimeGenerated between ((since - 1h) .. (until + 1h)) and ApiId in (apis)",
        join="inner",
    )
)


class LoggedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as the log has it; None is what it does not say.

    Args:
        id: The correlation id: the gateway's request id, and so the event's.
        time: When it was logged.
        deployment: As the client named it.
        streamed: Whether the answer was a stream.
        subscription: The one that authenticated the call.
        operation: The API's operation.
    """

    id: str = msgspec.field(name="CorrelationId")
    time: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="TimeGenerated")
    prompt_tokens: int | None = msgspec.field(name="PromptTokens", default=None)
    completion_tokens: int | None = msgspec.field(name="CompletionTokens", default=None)
    total_tokens: int | None = msgspec.field(name="TotalTokens", default=None)
    model: str | None = msgspec.field(name="ModelName", default=None)
    deployment: str | None = msgspec.field(name="DeploymentName", default=None)
    streamed: bool | None = msgspec.field(name="IsStreamCompletion", default=None)
    subscription: str | None = msgspec.field(name="ApimSubscriptionId", default=None)
    backend: str | None = msgspec.field(name="BackendId", default=None)
    status: int | None = msgspec.field(name="ResponseCode", default=None)
    operation: str | None = msgspec.field(name="OperationId", default=None)


def calls_by_id(ids: Iterable[str]) -> str:
    """The query for the calls of these ids.

    Raises:
        ValueError: One of them cannot stand in a query.
    """
    return _BY_ID.format(ids=_names(ids))


def calls_by_api(apis: Iterable[str], since: datetime, until: datetime) -> str:
    """The query for the calls to these APIs that were logged from `since` to before `until`.

    Raises:
        ValueError: One of them cannot stand in a query.
    """
    return _BY_API.format(apis=_names(apis), since=_time(since), until=_time(until))


def logged_calls(rows: Iterable[Mapping[str, Any]]) -> dict[str, LoggedCall]:
    """The calls of a query's rows by id; of several rows of one call, the last stands."""
    calls = [call for row in rows if (call := _call(row))]
    return {call.id: call for call in sorted(calls, key=lambda call: call.time)}


def _call(row: Mapping[str, Any]) -> LoggedCall | None:
    try:
        return msgspec.convert(row, LoggedCall)
    except msgspec.ValidationError as error:
        _log.error("a row of the gateway's log cannot be read, and is left out: %s", error)
        return None


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    if wrong := [name for name in listed if not NAME_IN_QUERY.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} cannot stand in a query")
    return json.dumps(listed)


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

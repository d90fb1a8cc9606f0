"""A Log Analytics workspace that answers the gateway's queries over HTTP, as the service does.

It understands what these queries are about (ids, or APIs and a span of time) and answers from rows
that a test logs. The real SDK asks it, with a policy in place of the one that asks Entra.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.monitor.query.aio import LogsQueryClient
from builders import NOON

from tollgate.local.servers import serving

WORKSPACE_ID = "12345678-9abc-def0-1234-56789abcdef0"
COLUMNS = {
    "CorrelationId": "string",
    "TimeGenerated": "datetime",
    "DeploymentName": "string",
    "ModelName": "string",
    "PromptTokens": "int",
    "CompletionTokens": "int",
    "TotalTokens": "int",
    "IsStreamCompletion": "bool",
    "ApimSubscriptionId": "string",
    "BackendId": "string",
    "ResponseCode": "int",
    "OperationId": "string",
}


def logged(call_id: str, time: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """A streamed chat completion of sub-42, as the two tables joined have it."""
    row = {
        "CorrelationId": call_id,
        "TimeGenerated": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "DeploymentName": "mini",
        "ModelName": "gpt-4o-mini",
        "PromptTokens": 700,
        "CompletionTokens": 70,
        "TotalTokens": 770,
        "IsStreamCompletion": True,
        "ApimSubscriptionId": "sub-42",
        "BackendId": "aoai",
        "ResponseCode": 200,
        "OperationId": "ChatCompletions_Create",
    }
    return {**row, **changes}


class LogWorkspace:
    """Holds `rows`.

    `most` is how many rows an answer has at most; what is more makes it partial. `answers` are the
    statuses of the next requests.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.apis: dict[str, str] = {}  # id of a call -> its API, if it is not `openai`
        self.most = 1000
        self.answers: list[int] = []
        self.requests: list[web.Request] = []
        self.queries: list[dict[str, Any]] = []
        self.app = web.Application()
        self.app.router.add_post(f"/v1/workspaces/{WORKSPACE_ID}/query", self._query)

    async def _query(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.answers and (status := self.answers.pop(0)) != web.HTTPOk.status_code:
            error = {"error": {"code": "Trouble", "message": "of the service"}}
            headers = {"Retry-After": "0"} if status == web.HTTPTooManyRequests.status_code else {}
            return web.json_response(error, status=status, headers=headers)
        body = await request.json()
        self.queries.append(body)
        rows = [row for row in self.rows if self._is_asked(row, body)]
        shown = [[row.get(column) for column in COLUMNS] for row in rows[: self.most]]
        columns = [{"name": name, "type": kind} for name, kind in COLUMNS.items()]
        answer: dict[str, Any] = {
            "tables": [{"name": "PrimaryResult", "columns": columns, "rows": shown}]
        }
        if len(rows) > self.most:
            detail = {"code": "QueryExecutionError", "message": "E_QUERY_RESULT_SET_TOO_LARGE"}
            answer["error"] = {
                "code": "PartialError",
                "message": "There were some errors when processing your query.",
                "details": [detail],
            }
        return web.json_response(answer)

    def _is_asked(self, row: dict[str, Any], body: dict[str, Any]) -> bool:
        query: str = body["query"]
        since, until = (datetime.fromisoformat(each) for each in body["timespan"].split("/"))
        time = datetime.fromisoformat(row["TimeGenerated"])
        if not since <= time <= until:
            return False
        if ids := re.search(r"let ids = dynamic\((.*)\);", query):
            return row["CorrelationId"] in json.loads(ids[1])
        apis = re.search(r"let apis = dynamic\((.*)\);", query)
        span = re.findall(r"= datetime\((.*)\);", query)
        assert apis is not None
        since, until = (datetime.fromisoformat(each) for each in span)
        api = self.apis.get(row["CorrelationId"], "openai")
        return since <= time < until and api in json.loads(apis[1])


class TokenPolicy(SansIOHTTPPolicy[Any, Any]):
    """Signs in as the SDK's own policy does, which refuses to over plain HTTP."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = "Bearer token"


class Credential:
    """Is never asked: the policy above has a token."""

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        del kwargs
        raise AssertionError(scopes)

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...


@asynccontextmanager
async def serving_logs(workspace: LogWorkspace) -> AsyncGenerator[LogsQueryClient]:
    """The SDK's client of the workspace; whoever takes it closes it."""
    async with serving(workspace.app) as url:
        yield LogsQueryClient(
            Credential(), endpoint=url, authentication_policy=TokenPolicy(), retry_backoff_factor=0
        )

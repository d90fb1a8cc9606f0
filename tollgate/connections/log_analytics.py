"""Queries a Log Analytics workspace, with the azure-monitor-query SDK."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from azure.core.exceptions import AzureError, HttpResponseError
from azure.identity.aio import DefaultAzureCredential
from azure.monitor.query import LogsQueryPartialResult, LogsTable
from azure.monitor.query.aio import LogsQueryClient

from tollgate.errors import LogsUnavailable, SettingsError

_WORKSPACE: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SERVER_S: Final = 120
_READ_S: Final = 150  # longer than the server takes
_TOO_LONG: Final = 504  # it took longer than it may: another answer would be no quicker


class Workspace:
    """A workspace of logs. Close it.

    Args:
        workspace_id: Its GUID, as the portal shows it; not the id of the resource.
        client: Asks; signs in as whoever made it.
        told_in: Where the id was told, for who has to mend it.

    Raises:
        SettingsError: The id is no GUID.
    """

    def __init__(
        self,
        workspace_id: str,
        client: LogsQueryClient | None = None,
        told_in: str = "environment: LOG_ANALYTICS_WORKSPACE_ID",
    ) -> None:
        if not _WORKSPACE.fullmatch(workspace_id):
            problem = "it is no GUID; take the Workspace ID of the workspace's overview"
            raise SettingsError([f"{told_in}: {problem}"])
        self._id = workspace_id
        self._credential = DefaultAzureCredential() if client is None else None
        self._client = client or LogsQueryClient(self._credential)  # pyright: ignore[reportArgumentType]  one of the two is there

    async def rows(
        self, kql: str, since: datetime, until: datetime
    ) -> tuple[Sequence[Mapping[str, Any]], bool]:
        """The rows of a query over a span of time, by column.

        Returns:
            The rows, and whether these are all. What takes the service too long has none, and more.

        Raises:
            LogsUnavailable: It does not answer, or takes no more queries for now.
        """
        try:
            answer = await self._client.query_workspace(
                self._id,
                kql,
                timespan=(since, until),
                server_timeout=_SERVER_S,
                read_timeout=_READ_S,
            )
        except HttpResponseError as error:
            if error.status_code == _TOO_LONG:
                return [], False
            raise LogsUnavailable(_told(error)) from None
        except AzureError as error:
            raise LogsUnavailable(f"Log Analytics: {type(error).__name__}") from None
        if isinstance(answer, LogsQueryPartialResult):
            return _rows(answer.partial_data), False
        return _rows(answer.tables), True

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        if self._credential is not None:
            await self._credential.close()


def _told(error: HttpResponseError) -> str:
    if error.status_code is None:  # it could not even ask
        return "Log Analytics: no identity to sign in with; run az login, or give it one"
    return f"Log Analytics answered {error.status_code}"


def _rows(tables: Sequence[LogsTable]) -> list[dict[str, Any]]:
    return [
        dict(zip(table.columns, row, strict=True)) for table in tables[:1] for row in table.rows
    ]

"""Makes the backfill from the settings and the workspace of logs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from tollgate.connections.log_analytics import Workspace
from tollgate.events.backfill import Deployed, Direct
from tollgate.events.backfilling import Rows
from tollgate.settings import Settings
from tollgate.settings_sections import DeploymentSettings


class WorkspaceLogs:
    """A workspace as the backfill asks it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def query(self, kql: str, since: datetime, until: datetime) -> Rows:
        """The rows of a query over a span of time; see `backfilling.Logs`."""
        rows, are_all = await self._workspace.rows(kql, since, until)
        return Rows(rows, partial=not are_all)


def direct_of(settings: Settings) -> Direct | None:
    """What the settings say of calls that do not go through the proxy; None if there are none."""
    backfill = settings.backfill
    if backfill.gateway is None or not backfill.apis:
        return None
    named: dict[str, list[DeploymentSettings]] = {}
    for backend in settings.backends:
        for deployment in backend.deployments.values():
            named.setdefault(deployment.name, []).append(deployment)
    return Direct(
        gateway=backfill.gateway,
        apis=backfill.apis,
        tenants={
            subscription: tenant.name
            for tenant in settings.tenants
            for subscription in tenant.subscriptions
        },
        deployments={name: _deployed(same) for name, same in named.items()},
    )


def _deployed(same: Iterable[DeploymentSettings]) -> Deployed:
    """What all deployments of one name have in common: the log does not say which one served."""
    found = [
        Deployed(
            model=each.model,
            version=each.version,
            deployment_type=each.deployment_type,
            scope=each.scope,
        )
        for each in same
    ]
    first, *others = found
    differing = {
        field: None
        for field in Deployed.__struct_fields__
        if any(getattr(other, field) != getattr(first, field) for other in others)
    }
    return msgspec.structs.replace(first, **differing)

"""What the functions of one worker process share; opened on its event loop at first use."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import secrets
import time
from typing import Final

from tollgate.backfill_parts import WorkspaceLogs, direct_of
from tollgate.composition import GatewayRuntime
from tollgate.connections.log_analytics import Workspace
from tollgate.errors import SettingsError
from tollgate.events.backfilling import Backfill
from tollgate.intake_runtime import IntakeRuntime
from tollgate.metrics import Metrics
from tollgate.settings import Settings, load_settings, read_environment

# What the line of the log that has the numbers begins with; dashboards look for it.
METRICS_LINE: Final = "tollgate.metrics"
_NO_LOG: Final = (
    "LOG_ANALYTICS_WORKSPACE_ID is not set: pending usage is not completed from the gateway's log"
)
_TELL_EVERY_S: Final = 60.0
_log: Final = logging.getLogger(__name__)


class Shared:
    """Opens the gateway and the intake once each; a failed opening is tried again at next use.

    Attributes:
        metrics: The numbers of this process.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._settings: Settings | None = None
        self._gateway: GatewayRuntime | None = None
        self._intake: IntakeRuntime | None = None
        self._workspace: Workspace | None = None
        self._backfill: Backfill | None = None
        self._said_no_log = False
        self.metrics = Metrics()
        self._process = secrets.token_hex(4)
        self._told_s = -math.inf

    async def gateway(self) -> GatewayRuntime:
        """The gateway, publishing from its journal.

        Raises:
            SettingsError: tollgate.yaml or the environment is wrong.
        """
        async with self._lock:
            if self._gateway is None:
                environment = read_environment()
                runtime = GatewayRuntime(self.settings(), environment, metrics=self.metrics)
                self._gateway = await runtime.__aenter__()
            self._tell()
            return self._gateway

    async def intake(self) -> IntakeRuntime:
        """The intake, connected to Redis.

        Raises:
            SettingsError: The environment is wrong.
        """
        async with self._lock:
            if self._intake is None:
                runtime = IntakeRuntime(
                    read_environment(),
                    metrics=self.metrics,
                    direct_gateway=self._direct_gateway(),
                )
                self._intake = await runtime.__aenter__()
            self._tell()
            return self._intake

    async def backfill(self) -> Backfill | None:
        """The backfill, if the environment names a workspace of logs.

        Raises:
            SettingsError: tollgate.yaml or the environment is wrong.
        """
        workspace_id = read_environment().log_analytics_workspace_id
        if workspace_id is None:
            if not self._said_no_log:
                _log.warning(_NO_LOG)
            self._said_no_log = True
            return None
        gateway, awaited = await self.gateway(), (await self.intake()).awaited
        direct = direct_of(gateway.settings)
        if self._backfill is None and awaited is not None:
            self._workspace = Workspace(workspace_id)
            logs = WorkspaceLogs(self._workspace)
            self._backfill = Backfill(logs, awaited, gateway.record, direct, self.metrics)
        if self._backfill is not None:
            self._backfill.direct = direct
        return self._backfill

    def _direct_gateway(self) -> str | None:
        """Usage is counted also where tollgate.yaml is wrong or not there."""
        try:
            return self.settings().backfill.gateway
        except SettingsError:
            return None

    @property
    def has_ledger(self) -> bool:
        """Whether this app counts usage, or only publishes it."""
        return read_environment().redis_url is not None

    def settings(self) -> Settings:
        """tollgate.yaml.

        Raises:
            SettingsError: It is wrong, or not named.
        """
        if self._settings is None:
            path = read_environment().config
            if path is None:
                raise SettingsError(["environment: TOLLGATE_CONFIG does not name tollgate.yaml"])
            self._settings = load_settings(path)
        return self._settings

    def _tell(self) -> None:
        """Log this process's numbers, once a minute.

        Within an invocation: what is logged outside of one, the host does not pass on. The numbers
        only grow, so a line that is sampled away takes nothing with it.
        """
        now_s = time.monotonic()
        if now_s - self._told_s >= _TELL_EVERY_S:
            self._told_s = now_s
            numbers = {"process": self._process, **self.metrics.snapshot()}
            _log.info("%s %s", METRICS_LINE, json.dumps(numbers))

    async def close(self) -> None:
        """Close what is open; for tests, the host just ends the process."""
        if self._gateway is not None:
            await self._gateway.__aexit__()
        if self._intake is not None:
            await self._intake.__aexit__()
        if self._workspace is not None:
            await self._workspace.close()
        self._settings = self._gateway = self._intake = self._workspace = self._backfill = None
        self._lock = asyncio.Lock()


shared: Final = Shared()

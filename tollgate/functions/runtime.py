"""What the functions of one worker process share; opened on its event loop at first use."""

from __future__ import annotations

import asyncio
from typing import Final

from tollgate.composition import GatewayRuntime
from tollgate.errors import SettingsError
from tollgate.intake_runtime import IntakeRuntime
from tollgate.settings import Settings, load_settings, read_environment


class Shared:
    """Opens the gateway and the intake once each; a failed opening is tried again at next use."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._settings: Settings | None = None
        self._gateway: GatewayRuntime | None = None
        self._intake: IntakeRuntime | None = None

    async def gateway(self) -> GatewayRuntime:
        """The gateway, publishing from its journal.

        Raises:
            SettingsError: tollgate.yaml or the environment is wrong.
        """
        async with self._lock:
            if self._gateway is None:
                runtime = GatewayRuntime(self.settings(), read_environment())
                self._gateway = await runtime.__aenter__()
            return self._gateway

    async def intake(self) -> IntakeRuntime:
        """The intake, connected to Redis.

        Raises:
            SettingsError: The environment is wrong.
        """
        async with self._lock:
            if self._intake is None:
                self._intake = await IntakeRuntime(read_environment()).__aenter__()
            return self._intake

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

    async def close(self) -> None:
        """Close what is open; for tests, the host just ends the process."""
        if self._gateway is not None:
            await self._gateway.__aexit__()
        if self._intake is not None:
            await self._intake.__aexit__()
        self._settings = self._gateway = self._intake = None
        self._lock = asyncio.Lock()


shared: Final = Shared()

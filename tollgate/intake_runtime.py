"""Wires the rooms that count usage events together; both composition roots use it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Final, Self

from tollgate.connections.redis import open_redis
from tollgate.errors import SettingsError, StoreUnavailable
from tollgate.events.awaited import AwaitedEvents
from tollgate.events.dead_letters import RedisDeadLetters
from tollgate.events.intake import Intake
from tollgate.events.intake_metrics import IntakeMetrics
from tollgate.health import Health
from tollgate.intake_health import IntakeHealth
from tollgate.ledger.archive import Archive
from tollgate.ledger.generation import CurrentLedger
from tollgate.ledger.kept_aside import KeptAsideEvents
from tollgate.ledger.safety import ledger_warnings
from tollgate.metrics import Metrics
from tollgate.settings import Environment

_CHECK_S: Final = 3.0  # how long a start waits for a Redis to show its settings
_log: Final = logging.getLogger(__name__)


class IntakeRuntime:
    """The intake with its connection to Redis. Use as an async context manager.

    Args:
        environment: Where Redis and the archive are.
        strict: Refuse a Redis that is not set up to keep a ledger, rather than warn.
        metrics: Where the numbers of intake and ledger are shown.
        direct_gateway: The id of the gateway whose calls are to have an event each, if there is a
            log to look them up in.

    Raises:
        SettingsError: `TOLLGATE_REDIS_URL` is not set, or is no URL of a Redis.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        strict: bool = False,
        metrics: Metrics | None = None,
        direct_gateway: str | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self._strict = strict
        if environment.redis_url is None:
            raise SettingsError(["environment: TOLLGATE_REDIS_URL is not set"])
        try:
            self._redis = open_redis(environment.redis_url)
        except ValueError as error:
            raise SettingsError([f"environment: TOLLGATE_REDIS_URL: {error}"]) from None
        self.dead_letters = RedisDeadLetters(self._redis)
        self.kept_aside = KeptAsideEvents(self._redis)
        archive = Archive(environment.archive) if environment.archive else None
        watched = IntakeMetrics(self.metrics)
        ledger = CurrentLedger(self._redis)
        has_log = environment.log_analytics_workspace_id is not None
        self.awaited = AwaitedEvents(self._redis, direct_gateway) if has_log else None
        self.intake = Intake(
            ledger, self.dead_letters, archive, awaited=self.awaited, metrics=watched
        )
        self._health = IntakeHealth(self._redis, self.dead_letters, watched)
        self._health.show_in(self.metrics)

    async def __aenter__(self) -> Self:
        """Look at the server's settings, once.

        Raises:
            SettingsError: Strict, and they put usage at risk.
            StoreUnavailable: Strict, and Redis does not answer.
        """
        async with AsyncExitStack() as exits:
            exits.push_async_callback(self._redis.aclose)
            await (self._refuse() if self._strict else self._warn())
            exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._redis.aclose()

    async def health(self, now: datetime) -> Health:
        """What `/health` says of the ledger."""
        return await self._health.health(now)

    async def _refuse(self) -> None:
        if warnings := await ledger_warnings(self._redis):
            raise SettingsError([f"the ledger's Redis: {warning}" for warning in warnings])

    async def _warn(self) -> None:
        try:
            async with asyncio.timeout(_CHECK_S):
                warnings = await ledger_warnings(self._redis)
        except (StoreUnavailable, TimeoutError):
            warnings = ["it does not answer, so its settings could not be checked"]
        for warning in warnings:
            _log.warning("the ledger's Redis: %s", warning)

"""Wires the rooms that count usage events together; both composition roots use it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Final, Self

from tollgate.connections.redis import open_redis
from tollgate.errors import SettingsError, StoreUnavailable
from tollgate.events.dead_letters import RedisDeadLetters
from tollgate.events.intake import Intake
from tollgate.ledger.archive import Archive
from tollgate.ledger.generation import CurrentLedger
from tollgate.ledger.safety import ledger_warnings
from tollgate.settings import Environment

_CHECK_S: Final = 3.0  # how long a start waits for a Redis to show its settings
_log: Final = logging.getLogger(__name__)


class IntakeRuntime:
    """The intake with its connection to Redis. Use as an async context manager.

    Args:
        environment: Where Redis and the archive are.
        strict: Refuse a Redis that is not set up to keep a ledger, rather than warn.

    Raises:
        SettingsError: `TOLLGATE_REDIS_URL` is not set, or is no URL of a Redis.
    """

    def __init__(self, environment: Environment, *, strict: bool = False) -> None:
        self._strict = strict
        if environment.redis_url is None:
            raise SettingsError(["environment: TOLLGATE_REDIS_URL is not set"])
        try:
            self._redis = open_redis(environment.redis_url)
        except ValueError as error:
            raise SettingsError([f"environment: TOLLGATE_REDIS_URL: {error}"]) from None
        self.dead_letters = RedisDeadLetters(self._redis)
        archive = Archive(environment.archive) if environment.archive else None
        self.intake = Intake(CurrentLedger(self._redis), self.dead_letters, archive)

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

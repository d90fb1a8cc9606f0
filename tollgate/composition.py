"""Wires the rooms together from the settings; both composition roots (functions, local) use it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final, Self

from tollgate.connections.azure import OPENAI_SCOPE, Identity, eventgrid_client_with_key
from tollgate.connections.redis import open_redis
from tollgate.errors import SettingsError, StoreUnavailable
from tollgate.events.dead_letters import RedisDeadLetters
from tollgate.events.drain import Drain
from tollgate.events.eventgrid import EventGridPublisher
from tollgate.events.intake import Intake
from tollgate.events.journal import Journal
from tollgate.events.recovery import recover
from tollgate.gateway_parts import ApiKey, BearerToken, gateway_of
from tollgate.ledger.archive import Archive
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.ledger.safety import ledger_warnings
from tollgate.proxy.handler import Gateway
from tollgate.proxy.metering import Clock
from tollgate.proxy.pool import Credential
from tollgate.proxy.upstream_http import HttpUpstream
from tollgate.settings import (
    DEFAULT_JOURNAL,
    Environment,
    Settings,
    not_enforced,
    resolve_secret,
)
from tollgate.settings_sections import MANAGED_IDENTITY

_NOT_PUBLISHING: Final = (
    "no Event Grid topic is set (EVENTGRID_TOPIC_ENDPOINT): usage waits in the journal at %s and"
    " nobody is billed"
)
_CHECK_S: Final = 3.0  # how long a start waits for a Redis to show its settings
_log: Final = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


_CLOCK: Final = Clock(now=utc_now, steady_s=time.monotonic)


class GatewayRuntime:
    """The gateway with its connections, its journal and the task that publishes from it.

    Use as an async context manager, on the loop that serves the requests.

    Args:
        settings: Of the gateway.
        environment: Where the journal and the topic are.
        secret: Gives the secret behind a reference of the settings.
    """

    gateway: Gateway

    def __init__(
        self,
        settings: Settings,
        environment: Environment,
        secret: Callable[[str], str] = resolve_secret,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._secret = secret
        self._exits = AsyncExitStack()
        self._identity: Identity | None = None
        self._drain: Drain | None = None

    async def __aenter__(self) -> Self:
        """Open everything, or nothing.

        Raises:
            SettingsError: A secret is missing, or the journal's folder cannot be used.
        """
        for notice in not_enforced(self._settings):
            _log.warning("%s", notice)
        async with AsyncExitStack() as exits:
            credentials = self._credentials(exits)
            publisher = self._open_publisher(exits)
            upstream = HttpUpstream()
            exits.push_async_callback(upstream.close)
            self._journal = self._open_journal(exits)
            if publisher:
                self._drain = Drain(self._journal, publisher)
                exits.push_async_callback(_cancel, asyncio.create_task(self._drain.run()))
            else:
                _log.warning(_NOT_PUBLISHING, self._journal.folder)
            self.gateway = gateway_of(self._settings, self._journal, upstream, credentials, _CLOCK)
            exits.push_async_callback(self.gateway.background.finish)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    @property
    def journal_depth(self) -> int:
        """How many events wait to be published."""
        return self._journal.depth

    @property
    def health(self) -> dict[str, Any]:
        """What `/health` says: degraded when usage is kept, but goes nowhere."""
        return {
            "status": "ok" if self._drain else "degraded",
            "publishing": self._drain is not None,
            "journal_depth": self.journal_depth,
        }

    def _wake(self) -> None:
        if self._drain:
            self._drain.wake()

    def _open_journal(self, exits: AsyncExitStack) -> Journal:
        folder = self._environment.journal or DEFAULT_JOURNAL
        try:
            journal = Journal(folder, on_append=self._wake)
            exits.callback(journal.close)
            recover(folder, journal)
        except OSError as error:
            problem = f"the journal's folder {folder} cannot be used: {error.strerror or error}"
            raise SettingsError([f"environment: TOLLGATE_JOURNAL: {problem}"]) from None
        return journal

    def _open_publisher(self, exits: AsyncExitStack) -> EventGridPublisher | None:
        endpoint = self._environment.eventgrid_topic_endpoint
        key = self._environment.eventgrid_topic_key
        if endpoint is None:
            return None
        if key is not None:
            publisher = EventGridPublisher(eventgrid_client_with_key(endpoint, key))
        else:
            publisher = EventGridPublisher(self._our_identity(exits).eventgrid_client(endpoint))
        exits.push_async_callback(publisher.close)
        return publisher

    def _our_identity(self, exits: AsyncExitStack) -> Identity:
        if self._identity is None:
            self._identity = Identity()
            exits.push_async_callback(self._identity.close)
        return self._identity

    def _credentials(self, exits: AsyncExitStack) -> dict[str, Credential]:
        """The credential behind each `auth` of the backends."""
        found: dict[str, Credential] = {}
        problems: list[str] = []
        for auth in dict.fromkeys(backend.auth for backend in self._settings.backends):
            if auth == MANAGED_IDENTITY:
                provider = self._our_identity(exits).token_provider(OPENAI_SCOPE)
                found[auth] = BearerToken(provider)
                continue
            try:
                found[auth] = ApiKey(self._secret(auth))
            except SettingsError as error:
                problems += error.problems
        if problems:
            raise SettingsError(problems)
        return found


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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
        self.intake = Intake(RedisLedger(self._redis), self.dead_letters, archive)

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

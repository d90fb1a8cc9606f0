"""Wires the rooms together from the settings; both composition roots (functions, local) use it."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final, Self

from azure.core.exceptions import AzureError

from tollgate.connections.azure import (
    OPENAI_SCOPE,
    Identity,
    eventgrid_client_with_key,
)
from tollgate.connections.redis import open_redis
from tollgate.errors import SettingsError
from tollgate.events.dead_letters import RedisDeadLetters
from tollgate.events.drain import Drain
from tollgate.events.eventgrid import EventGridPublisher
from tollgate.events.intake import Intake
from tollgate.events.journal import Journal
from tollgate.events.recovery import recover
from tollgate.ledger.archive import Archive
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.proxy.attempt import Attempts
from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.failover import Failover
from tollgate.proxy.handler import Gateway
from tollgate.proxy.identity import Directory, Tenant
from tollgate.proxy.metering import Clock, Meter
from tollgate.proxy.pool import Backend, Credential, Deployment, Pool
from tollgate.proxy.ports import BackendFailed, UsageSink
from tollgate.proxy.upstream_http import HttpUpstream
from tollgate.settings import (
    DEFAULT_JOURNAL,
    MANAGED_IDENTITY,
    BackendSettings,
    Environment,
    Settings,
    not_enforced,
    resolve_secret,
)

_log: Final = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


class ApiKey:
    """A backend's key."""

    def __init__(self, key: str) -> None:
        self._headers = {"api-key": key}

    async def headers(self) -> Mapping[str, str]:
        """The key as Azure OpenAI wants it."""
        return self._headers


class BearerToken:
    """Tokens of our identity."""

    def __init__(self, provider: Callable[[], Awaitable[str]]) -> None:
        self._provider = provider

    async def headers(self) -> Mapping[str, str]:
        """A fresh token.

        Raises:
            BackendFailed: The identity service gave none.
        """
        try:
            return {"authorization": f"Bearer {await self._provider()}"}
        except AzureError as error:
            raise BackendFailed(f"no token: {type(error).__name__}") from None


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
            self.gateway = _gateway(self._settings, self._journal, upstream, credentials)
            exits.push_async_callback(self.gateway.background.finish)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    @property
    def journal_depth(self) -> int:
        """How many events wait to be published."""
        return self._journal.depth

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

    Raises:
        SettingsError: `TOLLGATE_REDIS_URL` is not set, or is no URL of a Redis.
    """

    def __init__(self, environment: Environment) -> None:
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
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._redis.aclose()


def _gateway(
    settings: Settings,
    sink: UsageSink,
    upstream: HttpUpstream,
    credentials: Mapping[str, Credential],
) -> Gateway:
    clock = Clock(now=utc_now, steady_s=time.monotonic)
    return Gateway(
        directory=_directory(settings),
        pool=Pool((_backend(entry, credentials) for entry in settings.backends), random.random),
        failover=Failover(
            Breakers(BreakerRules(**settings.breaker.model_dump())),
            settings.retry.attempts,
            clock.steady_s,
        ),
        attempts=Attempts(
            upstream,
            clock,
            first_byte_timeout_s=settings.retry.first_byte_timeout_s,
            answer_timeout_s=settings.retry.answer_timeout_s,
            max_answer_bytes=settings.relay.max_answer_bytes,
        ),
        meter=Meter(settings.gateway.id, sink, clock),
        drain_timeout_s=settings.relay.drain_timeout_s,
    )


def _directory(settings: Settings) -> Directory:
    return Directory(
        (
            Tenant(
                name=entry.name,
                aliases=entry.aliases,
                keys=entry.keys,
                subscriptions=entry.subscriptions,
                billing_codes=entry.billing_codes,
                priority=entry.priority,
            )
            for entry in settings.tenants
        ),
        trusted_callers=settings.gateway.trusted_callers,
        reject_unknown_codes=settings.unknown_billing_code == "reject",
    )


def _backend(entry: BackendSettings, credentials: Mapping[str, Credential]) -> Backend:
    return Backend(
        name=entry.name,
        url=entry.url,
        region=entry.region,
        priority=entry.priority,
        weight=entry.weight,
        credential=credentials[entry.auth],
        deployments={
            alias: Deployment(**deployment.model_dump(exclude={"ptu"}))
            for alias, deployment in entry.deployments.items()
        },
    )

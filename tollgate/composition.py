"""Wires the rooms together from the settings; both composition roots (functions, local) use it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Self

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
from tollgate.settings import BackendSettings, Environment, Settings, resolve_secret


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

    def __init__(
        self,
        settings: Settings,
        environment: Environment,
        secret: Callable[[str], str] = resolve_secret,
    ) -> None:
        self._environment = environment
        self._secret = secret
        self._identity: Identity | None = None
        self._upstream = HttpUpstream()
        self._publisher = self._open_publisher(environment)
        self._journal = Journal(environment.journal, on_append=self._wake)
        self._drain = Drain(self._journal, self._publisher) if self._publisher else None
        self._task: asyncio.Task[None] | None = None
        self.gateway = _gateway(settings, self._journal, self._upstream, self._credential)

    async def __aenter__(self) -> Self:
        recover(self._environment.journal, self._journal)
        if self._drain:
            self._task = asyncio.create_task(self._drain.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.background.finish()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._journal.close()
        await self._upstream.close()
        if self._publisher:
            await self._publisher.close()
        if self._identity:
            await self._identity.close()

    @property
    def journal_depth(self) -> int:
        """How many events wait to be published."""
        return self._journal.depth

    def _wake(self) -> None:
        if self._drain:
            self._drain.wake()

    def _open_publisher(self, environment: Environment) -> EventGridPublisher | None:
        endpoint, key = environment.eventgrid_topic_endpoint, environment.eventgrid_topic_key
        if endpoint is None:
            return None
        if key is not None:
            return EventGridPublisher(eventgrid_client_with_key(endpoint, key))
        return EventGridPublisher(self._our_identity().eventgrid_client(endpoint))

    def _our_identity(self) -> Identity:
        self._identity = self._identity or Identity()
        return self._identity

    def _credential(self, auth: str) -> Credential:
        if auth == "managed_identity":
            return BearerToken(self._our_identity().token_provider(OPENAI_SCOPE))
        return ApiKey(self._secret(auth))


class IntakeRuntime:
    """The intake with its connection to Redis. Use as an async context manager."""

    def __init__(self, environment: Environment) -> None:
        if environment.redis_url is None:
            raise SettingsError(["environment: TOLLGATE_REDIS_URL is not set"])
        self._redis = open_redis(environment.redis_url)
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
    credential: Callable[[str], Credential],
) -> Gateway:
    clock = Clock(now=utc_now, steady_s=time.monotonic)
    return Gateway(
        directory=_directory(settings),
        pool=Pool((_backend(entry, credential) for entry in settings.backends), random.random),
        failover=Failover(
            Breakers(BreakerRules(**settings.breaker.model_dump())),
            settings.retry.attempts,
            clock.steady_s,
        ),
        attempts=Attempts(
            upstream,
            clock,
            first_byte_timeout_s=settings.retry.first_byte_timeout_s,
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


def _backend(entry: BackendSettings, credential: Callable[[str], Credential]) -> Backend:
    return Backend(
        name=entry.name,
        url=entry.url,
        region=entry.region,
        priority=entry.priority,
        weight=entry.weight,
        credential=credential(entry.auth),
        deployments={
            alias: Deployment(**deployment.model_dump(exclude={"ptu"}))
            for alias, deployment in entry.deployments.items()
        },
    )

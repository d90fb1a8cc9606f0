"""The gateway's parts, made from the settings."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping

from azure.core.exceptions import AzureError

from tollgate.proxy.attempt import Attempts
from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.failover import Failover
from tollgate.proxy.handler import Gateway
from tollgate.proxy.identity import Directory, Tenant
from tollgate.proxy.metering import Clock, Meter
from tollgate.proxy.pool import Backend, Credential, Deployment, Pool
from tollgate.proxy.ports import BackendFailed, UsageSink
from tollgate.proxy.upstream_http import HttpUpstream
from tollgate.settings import Settings
from tollgate.settings_sections import BackendSettings


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


def gateway_of(
    settings: Settings,
    sink: UsageSink,
    upstream: HttpUpstream,
    credentials: Mapping[str, Credential],
    clock: Clock,
) -> Gateway:
    """The gateway.

    Args:
        settings: Of the gateway.
        sink: Where its usage goes.
        upstream: How it calls backends.
        credentials: By the `auth` of the backends.
        clock: Its clocks.
    """
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
            alias: Deployment(
                **deployment.model_dump(
                    exclude={"ptu", "tokens_per_minute", "requests_per_10s", "kept_for_high"}
                )
            )
            for alias, deployment in entry.deployments.items()
        },
    )

"""The gateway's parts, made from the settings."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from azure.core.exceptions import AzureError

from tollgate.proxy.admission import Admissions
from tollgate.proxy.attempt import AttemptBounds, Attempts
from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.capacity import Capacities
from tollgate.proxy.concurrency import Concurrency
from tollgate.proxy.failover import Failover
from tollgate.proxy.geography import Geography
from tollgate.proxy.handler import EdgeLimits, Gateway
from tollgate.proxy.identity import Directory, Tenant
from tollgate.proxy.latency import Latencies
from tollgate.proxy.listing import Listing
from tollgate.proxy.metering import Clock, Meter
from tollgate.proxy.model_calls import ModelCalls, Routing
from tollgate.proxy.pending_poll import PollRules
from tollgate.proxy.pool import Backend, Credential, Deployment, Limits, Pool
from tollgate.proxy.ports import BackendFailed, Upstream, UsageSink
from tollgate.proxy.prompts import CountTokens
from tollgate.proxy.relay import Background, DrainBounds
from tollgate.proxy.response_memory import ResponseMemory
from tollgate.proxy.stored_calls import StoredCalls
from tollgate.settings import Settings
from tollgate.settings_sections import BackendSettings, DeploymentSettings


class ApiKey:
    """A backend's key."""

    def __init__(self, key: str) -> None:
        self.ready: Mapping[str, str] | None = {"api-key": key}

    async def headers(self) -> Mapping[str, str]:
        """The key as Azure OpenAI wants it."""
        return self.ready or {}


class BearerToken:
    """Tokens of our identity."""

    ready = None

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


class Lasting(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives a change of the settings.

    Args:
        sink: Where usage goes.
        upstream: How backends are called.
        clock: The clocks.
        breakers: Which backends are left alone.
        capacities: What is left of the deployments' capacity.
        concurrency: How many requests are under way.
        memory: Who created which response.
        background: What goes on beside the requests.
        count_tokens: The tokenizer for estimates, if there is one.
    """

    sink: UsageSink
    upstream: Upstream
    clock: Clock
    breakers: Breakers
    capacities: Capacities
    concurrency: Concurrency
    memory: ResponseMemory
    background: Background
    count_tokens: CountTokens | None = None


def gateway_of(
    settings: Settings, lasting: Lasting, credentials: Mapping[str, Credential]
) -> Gateway:
    """The gateway, by these settings.

    Args:
        settings: Of the gateway.
        lasting: What the gateway before it had, if there was one.
        credentials: By the `auth` of the backends.
    """
    relay = settings.relay
    backends = [_backend(entry, credentials) for entry in settings.backends]
    routing = _routing(settings, lasting, backends)
    drain = DrainBounds(timeout_s=relay.drain_timeout_s, tokens=relay.drain_tokens)
    serving = (routing, lasting.memory, drain, lasting.background)
    near, directory = settings.routing.geography, _directory(settings, lasting.concurrency)
    return Gateway(
        directory=directory,
        admissions=Admissions(directory, near.header if near else None),
        model_calls=ModelCalls(*serving),
        stored_calls=StoredCalls(*serving),
        listing=Listing(backends),
        meter=Meter(settings.gateway.id, lasting.sink, lasting.clock),
        concurrency=lasting.concurrency,
        background=lasting.background,
        limits=EdgeLimits(
            max_request_bytes=relay.max_request_bytes,
            body_timeout_s=relay.body_timeout_s,
            max_stream_s=relay.max_stream_s,
        ),
    )


def poll_rules(settings: Settings) -> PollRules:
    """How responses that run in the background are followed."""
    return PollRules(
        first_delay_s=settings.responses.poll_s,
        max_delay_s=settings.responses.longest_poll_s,
        give_up_s=settings.responses.give_up_s,
    )


def _routing(settings: Settings, lasting: Lasting, backends: list[Backend]) -> Routing:
    steady_s = lasting.clock.steady_s
    preferred, near = settings.routing.latency, settings.routing.geography
    latencies = Latencies(steady_s, **preferred.model_dump()) if preferred else None
    geography = Geography(near.header, near.regions) if near else None
    pool = Pool(backends, random.random, geography=geography, latencies=latencies)
    lasting.breakers.rules = BreakerRules(**settings.breaker.model_dump())
    lasting.capacities.change(pool.limits)
    return Routing(
        pool=pool,
        failover=Failover(lasting.breakers, settings.retry.attempts, steady_s, lasting.capacities),
        attempts=Attempts(
            lasting.upstream,
            lasting.clock,
            AttemptBounds(
                first_byte_timeout_s=settings.retry.first_byte_timeout_s,
                answer_timeout_s=settings.retry.answer_timeout_s,
                max_answer_bytes=settings.relay.max_answer_bytes,
            ),
            count_tokens=lasting.count_tokens,
        ),
        steady_s=steady_s,
        latencies=latencies,
        count_tokens=lasting.count_tokens,
    )


def _directory(settings: Settings, concurrency: Concurrency) -> Directory:
    return Directory(
        (
            Tenant(
                name=entry.name,
                aliases=entry.aliases,
                keys=entry.keys,
                subscriptions=entry.subscriptions,
                billing_codes=entry.billing_codes,
                priority=entry.priority,
                region=entry.region,
                concurrent_requests=entry.limits.concurrent_requests,
            )
            for entry in settings.tenants
        ),
        trusted_callers=settings.gateway.trusted_callers,
        reject_unknown_codes=settings.unknown_billing_code == "reject",
        under_way=concurrency.ids,
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
            alias: _deployment(deployment) for alias, deployment in entry.deployments.items()
        },
    )


def _deployment(entry: DeploymentSettings) -> Deployment:
    return Deployment(
        name=entry.name,
        model=entry.model,
        version=entry.version,
        deployment_type=entry.deployment_type,
        scope=entry.scope,
        limits=Limits(
            tokens_per_minute=entry.tokens_per_minute,
            requests_per_10s=entry.requests_per_10s,
            kept_tokens=entry.kept_for_high.tokens,
            kept_requests=entry.kept_for_high.requests,
        ),
    )

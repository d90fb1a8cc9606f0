"""The stage of the APIM GenAI gateway toolkit's scenarios: its regions, and our gateway.

Time is the stage's own unless a scenario needs real latency: minutes pass in no time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import msgspec
from gateways import ask, response_memory
from proxying import (
    BACKEND_KEY,
    JSON_HEADERS,
    FakeClock,
    RecordingSink,
    StaticKey,
    hashed,
)

from tollgate.gateway_parts import Lasting, gateway_of
from tollgate.local.simulator import RegionSettings, SimulatedDeployment, SimulatedRegion
from tollgate.local.simulator.region import regions_listening
from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.capacity import Capacities
from tollgate.proxy.concurrency import Concurrency
from tollgate.proxy.handler import Gateway
from tollgate.proxy.messages import Request
from tollgate.proxy.metering import Clock
from tollgate.proxy.relay import Background
from tollgate.proxy.upstream_http import HttpUpstream
from tollgate.settings import check_settings
from tollgate.usage.event import UsageEvent

MODELS: Final = {"embedding": "text-embedding-3-small"}
TENANTS: Final = ("contoso", "fabrikam", "tailspin")
START_S: Final = FakeClock().s  # on a full minute
_MODEL: Final = "gpt-35-turbo"

Told = TypeVar("Told")


class Limit(msgspec.Struct, frozen=True):
    """What a deployment takes; requests in 10 s are a thousandth of the tokens, rounded up."""

    tokens_per_minute: int
    kept_tokens: int = 0
    kept_requests: int = 0

    @property
    def requests_per_10s(self) -> int:
        """As Azure sets them."""
        return -(-self.tokens_per_minute // 1000)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One region as the pool knows it."""

    priority: int = 1
    weight: int = 100
    ptu: bool = False
    limit: Limit | None = None
    token_latency_ms: float = 0.0


class Reply(msgspec.Struct, frozen=True):
    """What a user gets."""

    status: int
    headers: dict[str, str]
    at_s: float
    body: bytes

    @property
    def backend(self) -> str:
        """Who served."""
        return self.headers["x-tollgate-backend"]

    @property
    def reason(self) -> str | None:
        """Why a call of low priority was refused."""
        return self.headers.get("x-tollgate-ratelimit-reason")


class Toolkit:
    """What runs for one scenario.

    Attributes:
        regions: By name.
        events: The gateway's, in the order in which the calls ended.
    """

    def __init__(
        self,
        served: Gateway,
        clock: Clock,
        regions: dict[str, SimulatedRegion],
        events: list[UsageEvent],
    ) -> None:
        self._served, self._clock = served, clock
        self.regions, self.events = regions, events

    async def chat(self, deployment: str, max_tokens: int, **headers: str) -> Reply:
        """One chat completion; `tenant` among the headers names who calls."""
        prompt = [{"role": "user", "content": "Hello in 400 words"}]
        body = {"messages": prompt, "max_tokens": max_tokens}
        return await self._ask(f"{deployment}/chat/completions", body, headers)

    async def embed(self, deployment: str, text: str, **headers: str) -> Reply:
        """One embedding."""
        return await self._ask(f"{deployment}/embeddings", {"input": text}, headers)

    async def _ask(self, path: str, body: Mapping[str, Any], headers: dict[str, str]) -> Reply:
        tenant = headers.pop("tenant", TENANTS[0])
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        at_s = self._clock.steady_s()
        answer = await ask(
            self._served,
            Request(
                method="POST",
                path=f"/openai/deployments/{path}",
                query=f"api-version=2024-10-21&companyName={tenant}",
                headers=(*JSON_HEADERS, ("api-key", f"{tenant}-key"), *sent.items()),
                body=msgspec.json.encode(body),
            ),
        )
        assert isinstance(answer.body, bytes)
        return Reply(answer.status, dict(answer.headers), at_s, answer.body)


async def passing(
    clock: FakeClock, calls: Iterable[Sequence[Coroutine[Any, Any, Told]]]
) -> list[Told]:
    """Let each second's calls go out together, and the second pass.

    Args:
        clock: Is moved.
        calls: Second by second.
    """
    replies: list[Told] = []
    for due in calls:
        replies += await asyncio.gather(*due)
        clock.s += 1
    return replies


@asynccontextmanager
async def toolkit(
    places: Mapping[str, Place],
    clock: Clock,
    deployments: Sequence[str] = ("chat",),
    **settings: Any,
) -> AsyncGenerator[Toolkit]:
    """The regions and the gateway.

    Args:
        places: The regions by name.
        clock: Of both.
        deployments: Their aliases; one that begins like a key of `MODELS` has that model.
        settings: More sections of tollgate.yaml.
    """
    simulated = [_region(name, place, deployments) for name, place in places.items()]
    sink, upstream = RecordingSink(), HttpUpstream()
    async with regions_listening(simulated, clock.now) as regions:
        raw = {
            "gateway": {"id": "gw-toolkit"},
            "backends": [
                _backend(name, place, regions[name].url, deployments)
                for name, place in places.items()
            ],
            "tenants": [{"name": name, "keys": [hashed(f"{name}-key")]} for name in TENANTS],
            **settings,
        }
        lasting = _lasting(sink, upstream, clock)
        served = gateway_of(check_settings(raw), lasting, {"env:KEY": StaticKey()})
        try:
            yield Toolkit(served, clock, regions, sink.events)
        finally:
            await upstream.close()


def _lasting(sink: RecordingSink, upstream: HttpUpstream, clock: Clock) -> Lasting:
    return Lasting(
        sink=sink,
        upstream=upstream,
        clock=clock,
        breakers=Breakers(BreakerRules()),
        capacities=Capacities({}),
        concurrency=Concurrency(),
        memory=response_memory(sink, clock),
        background=Background(),
    )


def _model(alias: str) -> str:
    return next((model for key, model in MODELS.items() if alias.startswith(key)), _MODEL)


def _region(name: str, place: Place, deployments: Sequence[str]) -> RegionSettings:
    limit = place.limit
    return RegionSettings(
        name=name,
        region="westeurope",
        keys=(BACKEND_KEY,),
        deployments={
            alias: SimulatedDeployment(
                model=_model(alias),
                version="0301",
                tokens_per_minute=limit.tokens_per_minute if limit else None,
                requests_per_10s=limit.requests_per_10s if limit else None,
                quota_counts="answer",
                dimensions=8,
                token_latency_ms=place.token_latency_ms,
            )
            for alias in deployments
        },
    )


def _backend(name: str, place: Place, url: str, deployments: Sequence[str]) -> dict[str, Any]:
    limit = place.limit
    capacity = limit and {
        "tokens_per_minute": limit.tokens_per_minute,
        "requests_per_10s": limit.requests_per_10s,
        "kept_for_high": {"tokens": limit.kept_tokens, "requests": limit.kept_requests},
    }
    kind = {"deployment_type": "provisioned", "ptu": 50} if place.ptu else {}
    return {
        "name": name,
        "url": f"{url}/openai",
        "region": "westeurope",
        "priority": place.priority,
        "weight": place.weight,
        "auth": "env:KEY",
        "deployments": {
            alias: {"name": alias, "model": _model(alias), **kind, **(capacity or {})}
            for alias in deployments
        },
    }

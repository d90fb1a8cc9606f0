"""A gateway that listens, in front of simulated regions that listen; all real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

from gateways import gateway
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from proxying import BACKEND_KEY, KEY, RecordingSink, backend, deployment

from tollgate.local.simulator import RegionSettings, SimulatedDeployment, SimulatedRegion
from tollgate.local.simulator.faults import Fault
from tollgate.local.simulator.region import regions_listening
from tollgate.local.simulator.request_log import LogEntry
from tollgate.proxy.breaker import BreakerRules
from tollgate.proxy.client_bounds import ConnectionBounds
from tollgate.proxy.client_server import ClientServer, Site
from tollgate.proxy.handler import Gateway
from tollgate.proxy.metering import Clock
from tollgate.proxy.pending_poll import PendingPoll, PollRules
from tollgate.proxy.pending_responses import Completions
from tollgate.proxy.pool import Backend, Deployment, Limits
from tollgate.proxy.relay import DrainBounds
from tollgate.proxy.response_memory import ResponseMemory
from tollgate.proxy.stored_in_memory import MemoryResponses
from tollgate.proxy.upstream_http import HttpUpstream
from tollgate.usage.event import UsageEvent

BILLED: Final = {"username": "alice", "companyName": "Contoso GmbH", "billingCode": "CC-1001"}
MINI, VECTORS = "gpt-4o-mini", "text-embedding-3-small"
REGIONS: Final = {"weu-1": "westeurope", "neu-1": "northeurope", "swc-1": "swedencentral"}
_CLOCK: Final = Clock(lambda: datetime.now(UTC), monotonic)  # noqa: TID251  the test is a root
# Deployment alias and model, which are named alike -> the model's version.
_MODELS: Final = {
    MINI: "2024-07-18",
    VECTORS: "1",
    "o4-mini": "2025-04-16",
    "gpt-image-1": "2025-04-15",
    "dall-e-3": "3.0",
    "gpt-4o-transcribe": "2025-03-20",
    "whisper": "001",
    "tts-1": "001",
    "gpt-4o-mini-tts": "2025-03-20",
}
_NAMES: Final = {MINI: "mini-here", VECTORS: "vectors-here"}


class World:
    """Everything that runs for one test.

    Attributes:
        url: The gateway's.
        regions: By backend name, in the order in which they are asked.
        sink: The gateway's events.
        poll: Asks for the responses that run in the background; a test calls it.
    """

    def __init__(
        self, url: str, regions: dict[str, SimulatedRegion], sink: RecordingSink, poll: PendingPoll
    ) -> None:
        self.url, self.regions, self.sink, self.poll = url, regions, sink, poll

    def v1(self, key: str = KEY, path: str = "/openai/v1", **query: object) -> AsyncOpenAI:
        """The SDK on the v1 API."""
        return AsyncOpenAI(
            base_url=self.url + path, api_key=key, default_query=BILLED | query, max_retries=0
        )

    def azure(self, version: str = "2024-10-21", **query: object) -> AsyncAzureOpenAI:
        """The SDK on the dated API."""
        return AsyncAzureOpenAI(
            azure_endpoint=self.url,
            api_version=version,
            api_key=KEY,
            default_query=BILLED | query,
            max_retries=0,
        )

    def v1_sync(self) -> OpenAI:
        """The SDK on the v1 API, for a thread."""
        return OpenAI(
            base_url=self.url + "/openai/v1", api_key=KEY, default_query=BILLED, max_retries=0
        )

    def azure_sync(self, version: str = "2024-10-21") -> AzureOpenAI:
        """The SDK on the dated API, for a thread."""
        return AzureOpenAI(
            azure_endpoint=self.url,
            api_version=version,
            api_key=KEY,
            default_query=BILLED,
            max_retries=0,
        )

    def at_a_region(self, name: str, version: str) -> AsyncOpenAI | AsyncAzureOpenAI:
        """The SDK without the gateway, on the v1 API or a dated one."""
        url = self.regions[name].url
        if version == "v1":
            return AsyncOpenAI(base_url=f"{url}/openai/v1", api_key=BACKEND_KEY, max_retries=0)
        return AsyncAzureOpenAI(
            azure_endpoint=url, api_version=version, api_key=BACKEND_KEY, max_retries=0
        )

    def fault(self, fault: Fault, *names: str) -> None:
        """Make these regions misbehave; without names, the first."""
        for name in names or ("weu-1",):
            self.regions[name].faults.add(fault)

    async def events(self, count: int = 1) -> list[UsageEvent]:
        """The events, once there are so many."""
        await until(lambda: len(self.sink.events) >= count)
        assert len(self.sink.events) == count
        return self.sink.events

    async def event(self) -> UsageEvent:
        """The one event that there is."""
        (event,) = await self.events()
        return event

    @property
    def asked(self) -> list[LogEntry]:
        """What the regions were asked, the first region's requests first."""
        return [entry for region in self.regions.values() for entry in region.log]

    def billed(self) -> dict[str, int]:
        """The tokens that the provider bills, all regions together."""
        total = {"input": 0, "output": 0}
        for entry in self.asked:
            counts: dict[str, Any] = entry.usage or {}
            total["input"] += counts.get("prompt_tokens", counts.get("input_tokens", 0))
            total["output"] += counts.get("completion_tokens", counts.get("output_tokens", 0))
        return total


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what nothing tells of; not for ever."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110  see above
            await asyncio.sleep(0.005)


@asynccontextmanager
async def world(
    *,
    drain_s: float = 5.0,
    timeout_s: float = 30.0,
    limits: Limits = Limits(),  # noqa: B008  frozen
    **rules: float,
) -> AsyncGenerator[World]:
    """Three regions that are asked in their order, and a gateway before them."""
    sink, upstream = RecordingSink(), HttpUpstream()
    store = MemoryResponses(_CLOCK.steady_s)
    completions = Completions(store, sink.record)
    async with regions_listening(map(region_settings, REGIONS)) as regions:
        served = gateway(
            upstream,
            sink,
            backends=backends_of(regions, limits),
            clock=_CLOCK,
            rules=BreakerRules(**rules),  # pyright: ignore[reportArgumentType]  figures of any kind
            timeout_s=timeout_s,
            drain=DrainBounds(timeout_s=drain_s, tokens=10_000),
            memory=ResponseMemory(store, completions, _CLOCK.now),
        )
        rules_of_poll = PollRules(first_delay_s=0.01, max_delay_s=0.01)
        poll = PendingPoll(store, served.stored_calls.poll, completions, _CLOCK.now, rules_of_poll)
        try:
            async with listening(Serving(served)) as url:
                yield World(url, regions, sink, poll)
            await served.background.finish()
        finally:
            await upstream.close()
    assert_nothing_leaked(regions)


def assert_nothing_leaked(regions: dict[str, SimulatedRegion]) -> None:
    """The regions have seen no billing parameter, no key of a client, and no header of ours."""
    for region in regions.values():
        for entry in region.log:
            seen = f"{entry.path}?{entry.query} {entry.headers}".lower()
            for secret in ("username", "companyname", "billingcode", KEY, "x-tollgate", "alice"):
                assert secret not in seen
            assert set(entry.headers) & {"api-key", "authorization", "cookie"} == {"api-key"}


def region_settings(name: str) -> RegionSettings:
    """A region that has all of the models."""
    return RegionSettings(
        name=name,
        region=REGIONS.get(name, "francecentral"),
        keys=(BACKEND_KEY,),
        deployments={
            there(model): SimulatedDeployment(model=model, version=version, dimensions=8)
            for model, version in _MODELS.items()
        },
    )


def there(model: str) -> str:
    """The name of a model's deployment in the regions, which is not its alias at the gateway."""
    return _NAMES.get(model, f"{model}-here")


def backends_of(
    regions: dict[str, SimulatedRegion],
    limits: Limits = Limits(),  # noqa: B008  frozen
) -> tuple[Backend, ...]:
    """The regions as a gateway's backends, asked in their order."""
    return tuple(
        backend(
            name,
            url=f"{region.url}/openai",
            region=region.settings.region,
            priority=place,
            deployments=_deployments(limits),
        )
        for place, (name, region) in enumerate(regions.items())
    )


def _deployments(limits: Limits) -> dict[str, Deployment]:
    return {
        model: deployment(name=there(model), model=model, version=version, limits=limits)
        for model, version in _MODELS.items()
    }


@asynccontextmanager
async def listening(serving: Serving) -> AsyncGenerator[str]:
    """The URL where whatever gateway `serving` has at the moment listens."""
    async with listening_site(serving) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def listening_site(site: Site, bounds: ConnectionBounds | None = None) -> AsyncGenerator[int]:
    """The loopback port where a site is served as in production."""
    loop = asyncio.get_running_loop()
    clients = ClientServer(site, loop, bounds or ConnectionBounds())
    server = await loop.create_server(clients.connect, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await clients.end(2)


class Serving:
    """Has one gateway at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(self, path: str) -> None:
        """There is none."""

"""Everything around a gateway process: simulated regions, a topic, clients of every kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import aiohttp
from load.calls import KINDS, Client, Told, go_on, timeout
from load.gateway_process import BACKEND_KEY, MINI, VECTORS, GatewayProcess, settings
from load.topic import PATH, BookingTopic

from tollgate.local.servers import serving
from tollgate.local.simulator import RegionSettings, SimulatedDeployment, SimulatedRegion
from tollgate.local.simulator.region import regions_listening
from tollgate.local.simulator.request_log import LogEntry

REGIONS: Final = ("one", "two", "three")
_SETTLING_S: Final = 30.0


class Stage:
    """What runs for one show.

    Attributes:
        gateway: The process.
        regions: By name.
        topic: Where the gateway publishes.
        told: What clients know, in the order in which their calls ended.
    """

    def __init__(
        self, gateway: GatewayProcess, regions: dict[str, SimulatedRegion], topic: BookingTopic
    ) -> None:
        self.gateway, self.regions, self.topic = gateway, regions, topic
        self.told: list[Told] = []

    @property
    def log(self) -> Iterator[LogEntry]:
        """What the regions were asked."""
        return (entry for region in self.regions.values() for entry in region.log)

    @asynccontextmanager
    async def clients(
        self, each: int, random: Random, pause: Callable[[], float]
    ) -> AsyncGenerator[None]:
        """So many clients of each kind call while the block runs; they end their last calls."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout()) as session:
            client, ending = Client(session, self.gateway.url, random), asyncio.Event()
            tasks = [
                asyncio.create_task(go_on(client, kind, self.told, pause, ending))
                for kind in KINDS * each
            ]
            try:
                yield
            finally:
                ending.set()
                await asyncio.gather(*tasks)

    async def call(self, kind: str, random: Random) -> Told:
        """One call."""
        async with aiohttp.ClientSession(timeout=timeout()) as session:
            found = await Client(session, self.gateway.url, random).call(kind)
        assert found is not None
        self.told.append(found)
        return found

    async def settle(self) -> None:
        """Let the gateway end and start until nothing waits in its journal; then it is ended."""
        async with asyncio.timeout(_SETTLING_S):
            await self._published()
            await self.gateway.stop()
            while any(self.gateway.journal.glob("*.jsonl")):
                await self.gateway.start()
                await self._published()
                await self.gateway.stop()

    async def _published(self) -> None:
        async with aiohttp.ClientSession(timeout=timeout()) as session:
            depth = 1
            while depth:
                await asyncio.sleep(0.1)
                async with session.get(f"{self.gateway.url}/health") as answer:
                    depth = (await answer.json())["journal_depth"]


@asynccontextmanager
async def stage(folder: Path, between_frames_s: float = 0.0) -> AsyncGenerator[Stage]:
    """Three regions and a topic that serve; the gateway's process is still to be started.

    Args:
        folder: For the gateway's files.
        between_frames_s: How far the frames of streams are apart, in seconds.
    """
    topic = BookingTopic()
    regions = [_region(name, between_frames_s) for name in REGIONS]
    async with serving(topic.app) as topic_url, regions_listening(regions) as listening:
        urls = {name: region.url for name, region in listening.items()}
        gateway = GatewayProcess(folder, settings(urls), topic_url + PATH)
        try:
            yield Stage(gateway, listening, topic)
        finally:
            await gateway.end()


def _region(name: str, between_frames_s: float) -> RegionSettings:
    return RegionSettings(
        name=name,
        region="westeurope",
        keys=(BACKEND_KEY,),
        log_requests=1_000_000,
        stored_responses=1_000,
        deployments={
            MINI: SimulatedDeployment(
                model=MINI, version="2024-07-18", between_frames_s=between_frames_s
            ),
            VECTORS: SimulatedDeployment(model=VECTORS, version="1", dimensions=8),
        },
    )

"""A gateway as it runs in production, from tollgate.yaml to the topic, before simulated regions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from openai import AsyncOpenAI
from proxying import BACKEND_KEY, KEY, OTHER_KEY, hashed
from topics import PATH, TOPIC_KEY, Topic

from tollgate.composition import GatewayRuntime
from tollgate.local.http import LocalSite, serving_gateway
from tollgate.local.servers import serving
from tollgate.local.simulator import RegionSettings, SimulatedDeployment, SimulatedRegion
from tollgate.local.simulator.region import regions_listening
from tollgate.settings import load_settings, read_environment

MINI: Final = "gpt-4o-mini"
REGIONS: Final = {"weu-1": "westeurope", "neu-1": "northeurope", "swc-1": "swedencentral"}
TENANTS: Final[list[dict[str, Any]]] = [
    {"name": "contoso", "keys": [hashed(KEY)], "billing_codes": ["CC-1001"]},
    {"name": "fabrikam", "keys": [hashed(OTHER_KEY)], "priority": "low", "region": "swedencentral"},
]


class Whole(NamedTuple):
    """What runs, and the file that says how."""

    url: str
    regions: dict[str, SimulatedRegion]
    topic: Topic
    config: Path

    def client(self, key: str = KEY, **headers: str) -> AsyncOpenAI:
        """The SDK, with more headers."""
        return AsyncOpenAI(
            base_url=f"{self.url}/openai/v1", api_key=key, default_headers=headers, max_retries=0
        )

    async def told(self, count: int) -> list[dict[str, Any]]:
        """The `data` of the events, once there are so many."""
        return [event["data"] for event in await self.topic.received(count)]


def write_settings(config: Path, regions: dict[str, SimulatedRegion], **sections: Any) -> None:
    """Write tollgate.yaml; `deployment` and `backends` change all deployments or one backend."""
    deployment = {"name": MINI, "model": MINI, "version": "2024-07-18"}
    deployment |= sections.pop("deployment", {})
    changes = sections.pop("backends", {})
    backends = [
        {
            "name": name,
            "url": f"{region.url}/openai",
            "region": REGIONS[name],
            "auth": "env:BACKEND_KEY",
            "deployments": {MINI: deployment},
            **changes.get(name, {}),
        }
        for name, region in regions.items()
    ]
    said = {"gateway": {"id": "gw"}, "backends": backends, "tenants": TENANTS, **sections}
    config.write_bytes(msgspec.json.encode(said))  # JSON is YAML


@asynccontextmanager
async def simulated(
    *, background_s: float | None = None, slow: tuple[str, ...] = ()
) -> AsyncGenerator[dict[str, SimulatedRegion]]:
    """The regions; the slow ones take 0.2 s to begin an answer."""
    settings = [
        RegionSettings(
            name=name,
            region=region,
            keys=(BACKEND_KEY,),
            deployments={
                MINI: SimulatedDeployment(
                    model=MINI,
                    version="2024-07-18",
                    background_s=background_s,
                    first_byte_s=0.2 if name in slow else 0.0,
                )
            },
        )
        for name, region in REGIONS.items()
    ]
    async with regions_listening(settings) as regions:
        yield regions


@asynccontextmanager
async def whole_gateway(
    folder: Path, regions: dict[str, SimulatedRegion], **sections: Any
) -> AsyncGenerator[Whole]:
    """The gateway, with its journal in `folder` and a topic of its own."""
    config, topic = folder / "tollgate.yaml", Topic()
    write_settings(config, regions, **sections)
    async with serving(topic.app) as topic_url:
        environment = read_environment(
            {
                "TOLLGATE_CONFIG": str(config),
                "TOLLGATE_JOURNAL": str(folder / "journal"),
                "EVENTGRID_TOPIC_ENDPOINT": topic_url + PATH,
                "EVENTGRID_TOPIC_KEY": TOPIC_KEY,
            }
        )
        settings = load_settings(config)
        async with (
            GatewayRuntime(settings, environment, lambda _: BACKEND_KEY) as runtime,
            serving_gateway(LocalSite(runtime), 0) as url,
        ):
            yield Whole(url, regions, topic, config)

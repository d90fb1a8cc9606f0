"""What stands behind the gateway: simulated regions, and the proxy in front of regions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from gateways import gateway
from proxying import BACKEND_KEY, RecordingSink, backend, deployment
from serving import Serving, listening

from tollgate.local.simulator import RegionSettings, SimulatedDeployment, SimulatedRegion
from tollgate.proxy.metering import Clock
from tollgate.proxy.upstream_http import HttpUpstream

MINI: Final = "gpt-4o-mini"
VECTORS: Final = "text-embedding-3-small"
REGIONS: Final = {"weu-1": "westeurope", "neu-1": "northeurope", "swc-1": "swedencentral"}
IDENTITY: Final = "identity-for-https://cognitiveservices.azure.com"
_CLOCK: Final = Clock(lambda: datetime.now(UTC), monotonic)  # noqa: TID251  the test is a root


def region_settings(name: str) -> RegionSettings:
    """A region that knows the gateway's identity, and the proxy's key."""
    return RegionSettings(
        name=name,
        region=REGIONS[name],
        keys=(IDENTITY, BACKEND_KEY),
        deployments={
            MINI: SimulatedDeployment(model=MINI, version="2024-07-18"),
            VECTORS: SimulatedDeployment(model=VECTORS, version="1", dimensions=8),
        },
    )


@asynccontextmanager
async def proxy_listening(
    regions: Mapping[str, SimulatedRegion], sink: RecordingSink
) -> AsyncGenerator[str]:
    """The URL of a proxy in front of regions."""
    upstream = HttpUpstream()
    backends = tuple(
        backend(
            name,
            url=f"{region.url}/openai",
            region=REGIONS[name],
            priority=place,
            deployments={
                MINI: deployment(name=MINI),
                VECTORS: deployment(name=VECTORS, model=VECTORS, version="1"),
            },
        )
        for place, (name, region) in enumerate(regions.items())
    )
    served = gateway(upstream, sink, backends=backends, clock=_CLOCK, timeout_s=30)
    try:
        async with listening(Serving(served)) as url:
            yield url
        await served.background.finish()
    finally:
        await upstream.close()

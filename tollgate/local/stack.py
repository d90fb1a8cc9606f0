"""Everything on one machine: regions, gateway, topic, trigger and ledger, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from tollgate.composition import GatewayRuntime, utc_now
from tollgate.intake_runtime import IntakeRuntime
from tollgate.local.embedded_redis import embedded_redis
from tollgate.local.event_grid import LocalTopic
from tollgate.local.regions import (
    BACKEND_KEY,
    BACKEND_KEY_VARIABLE,
    local_settings,
    simulated_regions,
)
from tollgate.local.servers import serving
from tollgate.local.simulator.region import SimulatedRegion
from tollgate.local.triggers import FUNCTION_NAME, WEBHOOK_PATH, triggers_app
from tollgate.settings import Environment, Settings, load_settings, resolve_secret

_TOPIC_KEY: Final = "local-topic-key"


class LocalStack(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, and where.

    Args:
        intake: The ledger's side.
        runtime: The gateway; whoever serves it puts an edge before it.
        settings: Its settings.
        regions: The simulated regions; none when the settings name real backends.
        topic: The Event Grid topic.
        redis_url: The ledger's.
        topic_url: The topic's endpoint.
        trigger_url: Where the topic delivers to.
        journal: The journal's folder.
        archive: The archive's folder.
    """

    intake: IntakeRuntime
    runtime: GatewayRuntime
    settings: Settings
    regions: list[SimulatedRegion]
    topic: LocalTopic
    redis_url: str
    topic_url: str
    trigger_url: str
    journal: Path
    archive: Path


@asynccontextmanager
async def local_stack(
    environment: Environment, data: Path, *, strict: bool = False
) -> AsyncGenerator[LocalStack]:
    """Start what is not given: Redis, regions, and always a topic with its trigger.

    Args:
        environment: A Redis, a tollgate.yaml and folders that are given there are used.
        data: Where everything else is kept.
        strict: Refuse a Redis that is not set up to keep a ledger.
    """
    async with AsyncExitStack() as exits:
        redis_url = environment.redis_url or exits.enter_context(embedded_redis(data / "redis"))
        archive = environment.archive or data / "archive"
        journal = environment.journal or data / "journal"
        environment = environment.model_copy(
            update={"redis_url": redis_url, "archive": archive, "journal": journal}
        )
        intake = await exits.enter_async_context(IntakeRuntime(environment, strict=strict))
        trigger_url = await exits.enter_async_context(serving(triggers_app(intake.intake)))
        topic, topic_url = await _start_topic(exits, trigger_url, data / "topic")
        regions = [] if environment.config else await _start_regions(exits)
        settings = _settings(environment.config, regions)
        publishing = _publishing(environment, topic_url)
        runtime = await exits.enter_async_context(
            GatewayRuntime(
                settings, publishing, _secret if regions else resolve_secret, intake.metrics
            )
        )
        yield LocalStack(
            intake=intake,
            runtime=runtime,
            settings=settings,
            regions=regions,
            topic=topic,
            redis_url=redis_url,
            topic_url=topic_url,
            trigger_url=f"{trigger_url}{WEBHOOK_PATH}",
            journal=journal,
            archive=archive,
        )


def _publishing(environment: Environment, topic_url: str) -> Environment:
    topic = {"eventgrid_topic_endpoint": topic_url, "eventgrid_topic_key": _TOPIC_KEY}
    return environment.model_copy(update=topic)


async def _start_topic(
    exits: AsyncExitStack, trigger_url: str, folder: Path
) -> tuple[LocalTopic, str]:
    webhook_url = f"{trigger_url}{WEBHOOK_PATH}?functionName={FUNCTION_NAME}"
    topic = LocalTopic(_TOPIC_KEY, webhook_url, folder)
    url = await exits.enter_async_context(serving(topic.app))
    return topic, f"{url}/api/events"


async def _start_regions(exits: AsyncExitStack) -> list[SimulatedRegion]:
    regions = [SimulatedRegion(settings, clock=utc_now) for settings in simulated_regions()]
    for region in regions:
        await region.start()
        exits.push_async_callback(region.stop)
    return regions


def _settings(config: Path | None, regions: list[SimulatedRegion]) -> Settings:
    if config is not None:
        return load_settings(config)
    return local_settings({region.settings.name: region.url for region in regions})


def _secret(reference: str) -> str:
    return BACKEND_KEY if reference == f"env:{BACKEND_KEY_VARIABLE}" else resolve_secret(reference)

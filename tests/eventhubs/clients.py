"""Publishers and the SDK's clients of a broker, without the SDK's long pauses."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from azure.eventhub.aio import EventHubProducerClient
from eventhubs.broker import Broker

from tollgate.events.eventhub import EventHubPublisher

HUB: Final = "usage"
PARTITIONS: Final = 4
TIMEOUT_S: Final = 10.0


def producer(broker: Broker, **options: Any) -> EventHubProducerClient:
    """The SDK's client that sends to `HUB`."""
    quick: dict[str, Any] = {"retry_backoff_factor": 0.001, "socket_timeout": 0.02, **options}
    return EventHubProducerClient.from_connection_string(broker.connection_string(HUB), **quick)


@asynccontextmanager
async def publishing(
    broker: Broker, timeout_s: float = TIMEOUT_S, **options: Any
) -> AsyncGenerator[EventHubPublisher]:
    """A publisher to `HUB`."""
    publisher = EventHubPublisher(lambda: producer(broker, **options), timeout_s)
    yield publisher
    await publisher.close()


# The SDK leaves the socket of a connection that broke off to the garbage collector.
LEAVES_SOCKETS: Final = (
    "ignore:Exception ignored in. <(function _SelectorTransport|function StreamWriter|socket)"
)


def collect_sockets() -> None:
    """Have them collected now, in the test that left them, and not in a later one."""
    gc.collect()

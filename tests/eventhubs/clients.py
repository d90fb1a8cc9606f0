"""Publishers and the SDK's clients of a broker, without the SDK's long pauses."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient, PartitionContext
from eventhubs.broker import Broker

from tollgate.events.eventhub import EventHubPublisher

HUB: Final = "usage"
PARTITIONS: Final = 5
TIMEOUT_S: Final = 10.0


def producer(broker: Broker, **options: Any) -> EventHubProducerClient:
    """The SDK's client that sends to `HUB`."""
    quick: dict[str, Any] = {"retry_backoff_factor": 0.001, "socket_timeout": 0.02, **options}
    return EventHubProducerClient.from_connection_string(broker.connection_string(HUB), **quick)


def consumer(broker: Broker, **options: Any) -> EventHubConsumerClient:
    """The SDK's client that reads `HUB`."""
    quick: dict[str, Any] = {"retry_backoff_factor": 0.001, "socket_timeout": 0.02, **options}
    connection = broker.connection_string(HUB)
    return EventHubConsumerClient.from_connection_string(connection, "$Default", **quick)


@asynccontextmanager
async def publishing(
    broker: Broker, timeout_s: float = TIMEOUT_S, **options: Any
) -> AsyncGenerator[EventHubPublisher]:
    """A publisher to `HUB`."""
    publisher = EventHubPublisher(lambda: producer(broker, **options), timeout_s)
    yield publisher
    await publisher.close()


async def consumed(
    broker: Broker, count: int, *, each: Callable[[int], None] = lambda _: None, **options: Any
) -> list[EventData]:
    """The first `count` events through the SDK's consumer, from the start if nothing else is said.

    Args:
        broker: The broker.
        count: How many.
        each: Called with the number of events so far, after each.
        options: Of the SDK's `receive`.
    """
    found: list[EventData] = []
    enough = asyncio.Event()

    async def on_event(_: PartitionContext, event: EventData | None) -> None:
        if event is not None:
            found.append(event)
            each(len(found))
        if len(found) >= count:
            enough.set()

    async with consumer(broker) as client:
        told: dict[str, Any] = {"starting_position": "-1", **options}
        reading = asyncio.create_task(client.receive(on_event, **told))
        async with asyncio.timeout(TIMEOUT_S):
            await enough.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return found


def body_of(event: EventData) -> bytes:
    """The data of an event that was read."""
    return b"".join(cast("Iterable[bytes]", event.body))


# The SDK leaves the socket of a connection that broke off to the garbage collector.
LEAVES_SOCKETS: Final = (
    "ignore:Exception ignored in. <(function _SelectorTransport|function StreamWriter|socket)"
)


def collect_sockets() -> None:
    """Have them collected now, in the test that left them, and not in a later one."""
    gc.collect()

"""Opens the brokers that the environment names: an Event Grid topic, an event hub, or both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

from tollgate.connections.azure import (
    Identity,
    eventgrid_client_with_key,
    eventhub_client_with_key,
    hub_of_connection_string,
)
from tollgate.errors import SettingsError
from tollgate.events.drain import Publisher
from tollgate.events.eventgrid import EventGridPublisher
from tollgate.events.eventhub import EventHubPublisher
from tollgate.events.several_brokers import SeveralBrokers
from tollgate.settings import Environment


def open_publisher(
    environment: Environment, our_identity: Callable[[], Identity], exits: AsyncExitStack
) -> Publisher | None:
    """What publishes to every broker that is named; None where none is.

    Args:
        environment: Names them.
        our_identity: Signs in where there is no key.
        exits: Closes what is opened.

    Raises:
        SettingsError: The event hub is not named rightly.
    """
    opened = [
        broker
        for broker in (
            _event_grid(environment, our_identity),
            _event_hub(environment, our_identity),
        )
        if broker is not None
    ]
    for broker in opened:
        exits.push_async_callback(broker.close)
    return SeveralBrokers(opened) if len(opened) > 1 else next(iter(opened), None)


def _event_grid(
    environment: Environment, our_identity: Callable[[], Identity]
) -> EventGridPublisher | None:
    endpoint, key = environment.eventgrid_topic_endpoint, environment.eventgrid_topic_key
    if endpoint is None:
        return None
    if key is not None:
        return EventGridPublisher(partial(eventgrid_client_with_key, endpoint, key))
    return EventGridPublisher(partial(our_identity().eventgrid_client, endpoint))


def _event_hub(
    environment: Environment, our_identity: Callable[[], Identity]
) -> EventHubPublisher | None:
    """As the Functions host does, it prefers a connection string to an identity."""
    if environment.eventhub_connection is not None:
        connection = environment.eventhub_connection
        hub_there = _hub_of(connection)
        hub = _named(environment.eventhub_name or hub_there)
        return EventHubPublisher(partial(eventhub_client_with_key, connection, hub))
    if environment.eventhub_namespace is not None:
        hub = _named(environment.eventhub_name)
        open_client = our_identity().eventhub_client
        return EventHubPublisher(partial(open_client, environment.eventhub_namespace, hub))
    return None


def _hub_of(connection: str) -> str | None:
    try:
        return hub_of_connection_string(connection)
    except ValueError as error:
        raise SettingsError([f"environment: EVENTHUB_CONNECTION: {error}"]) from None


def _named(hub: str | None) -> str:
    if hub is None:
        raise SettingsError(["environment: EVENTHUB_NAME is not set, but EVENTHUB_CONNECTION is"])
    return hub

"""Publishes CloudEvents to an Event Grid topic, with the azure-eventgrid SDK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid.aio import EventGridPublisherClient

from tollgate.errors import PublishFailed


class EventGridPublisher:
    """A custom topic with the CloudEvents schema.

    Args:
        client: The SDK's client, with its credential; this class closes it.
    """

    def __init__(self, client: EventGridPublisherClient) -> None:
        self._client = client

    async def publish(self, events: Sequence[bytes]) -> None:
        """Send encoded CloudEvents as one batch.

        Raises:
            PublishFailed: The topic did not take the batch, or did not say so.
        """
        try:
            await self._client.send([_cloud_event(event) for event in events])
        except HttpResponseError as error:
            raise PublishFailed(f"Event Grid answered {error.status_code}") from None
        except AzureError as error:
            raise PublishFailed(f"Event Grid: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _cloud_event(event: bytes) -> CloudEvent[Any]:
    return CloudEvent.from_dict(msgspec.json.decode(event))

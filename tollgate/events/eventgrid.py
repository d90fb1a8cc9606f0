"""Publishes CloudEvents to an Event Grid topic, with the azure-eventgrid SDK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid.aio import EventGridPublisherClient

from tollgate.errors import PublishFailed

_REFUSED: Final = frozenset({400, 413})


class EventGridPublisher:
    """A custom topic with the CloudEvents schema.

    Args:
        client: The SDK's client, with its credential; this class closes it.
    """

    def __init__(self, client: EventGridPublisherClient) -> None:
        self._client = client

    async def publish(self, events: Sequence[bytes]) -> list[bytes]:
        """Send encoded CloudEvents as one batch; a batch that is refused is sent in halves.

        Returns:
            The events that the topic refuses for what they are.

        Raises:
            PublishFailed: The topic did not take the batch, or did not say so.
        """
        try:
            await self._client.send([_cloud_event(event) for event in events])  # pyright: ignore[reportUnknownMemberType]  the SDK leaves CloudEvent's parameter open
        except HttpResponseError as error:
            if error.status_code not in _REFUSED:
                raise PublishFailed(f"Event Grid answered {error.status_code}") from None
        except AzureError as error:
            raise PublishFailed(f"Event Grid: {type(error).__name__}") from None
        else:
            return []
        if len(events) == 1:
            return list(events)
        half = len(events) // 2
        return await self.publish(events[:half]) + await self.publish(events[half:])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _cloud_event(event: bytes) -> CloudEvent[Any]:
    return cast("CloudEvent[Any]", CloudEvent.from_dict(msgspec.json.decode(event)))

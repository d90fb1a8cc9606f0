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
        readable = {event: _cloud_event(event) for event in events}
        batch = [(event, found) for event, found in readable.items() if found is not None]
        refused = [event for event, found in readable.items() if found is None]
        return refused + (await self._send(batch) if batch else [])

    async def _send(self, batch: Sequence[tuple[bytes, CloudEvent[Any]]]) -> list[bytes]:
        try:
            await self._client.send([cloud_event for _, cloud_event in batch])  # pyright: ignore[reportUnknownMemberType]  the SDK leaves CloudEvent's parameter open
        except HttpResponseError as error:
            if error.status_code not in _REFUSED:
                answer = error.status_code or type(error).__name__  # the SDK drops some
                raise PublishFailed(f"Event Grid answered {answer}") from None
        except AzureError as error:
            raise PublishFailed(f"Event Grid: {type(error).__name__}") from None
        else:
            return []
        if len(batch) == 1:
            return [event for event, _ in batch]
        half = len(batch) // 2
        return await self._send(batch[:half]) + await self._send(batch[half:])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _cloud_event(event: bytes) -> CloudEvent[Any] | None:
    try:
        return cast("CloudEvent[Any]", CloudEvent.from_dict(msgspec.json.decode(event)))
    except (ValueError, AttributeError, TypeError):  # MsgspecError is a ValueError
        return None

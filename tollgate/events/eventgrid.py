"""Publishes CloudEvents to an Event Grid topic, with the azure-eventgrid SDK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid.aio import EventGridPublisherClient

from tollgate.errors import PublishFailed

_BAD_REQUEST: Final = 400
_REFUSED: Final = frozenset({_BAD_REQUEST, 413})


class EventGridPublisher:
    """A custom topic with the CloudEvents schema.

    Args:
        client: The SDK's client, with its credential; this class closes it.
    """

    def __init__(self, client: EventGridPublisherClient) -> None:
        self._client = client
        self._has_taken = False  # whether the topic has ever taken an event

    async def publish(self, events: Sequence[bytes]) -> list[bytes]:
        """Send encoded CloudEvents as one batch; a batch that is refused is sent in halves.

        Returns:
            The events that the topic refuses for what they are.

        Raises:
            PublishFailed: The topic did not take the batch, or did not say so, or it refuses
                everything, so that the fault is more likely its own.
        """
        readable = {event: _cloud_event(event) for event in events}
        batch = [(event, found) for event, found in readable.items() if found is not None]
        refused = [event for event, found in readable.items() if found is None]
        answers = await self._send(batch) if batch else {}
        takes_none = len(answers) == len(batch) and {*answers.values()} == {_BAD_REQUEST}
        if takes_none and (len(batch) > 1 or not self._has_taken):
            raise PublishFailed("Event Grid answers 400 to every event: is its schema CloudEvents?")
        return refused + list(answers)

    async def _send(self, batch: Sequence[tuple[bytes, CloudEvent[Any]]]) -> dict[bytes, int]:
        """Send it, in parts if need be.

        Returns:
            The events that are refused, and the status that said so.
        """
        try:
            await self._client.send([cloud_event for _, cloud_event in batch])  # pyright: ignore[reportUnknownMemberType]  the SDK leaves CloudEvent's parameter open
        except HttpResponseError as error:
            if error.status_code not in _REFUSED:
                answer = error.status_code or type(error).__name__  # the SDK drops some
                raise PublishFailed(f"Event Grid answered {answer}") from None
            status = error.status_code
        except AzureError as error:
            raise PublishFailed(f"Event Grid: {type(error).__name__}") from None
        else:
            self._has_taken = True
            return {}
        if len(batch) == 1:
            return {event: status for event, _ in batch}
        half = len(batch) // 2
        return await self._send(batch[:half]) | await self._send(batch[half:])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _cloud_event(event: bytes) -> CloudEvent[Any] | None:
    try:
        return cast("CloudEvent[Any]", CloudEvent.from_dict(msgspec.json.decode(event)))
    except (ValueError, AttributeError, TypeError):  # MsgspecError is a ValueError
        return None

"""Publishes CloudEvents to an Event Grid topic, with the azure-eventgrid SDK.

The SDK signs in, retries and sends; the bytes are those of the journal. Its own serializer takes
longer for an event than the whole rest of a request does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.core.pipeline import PipelineRequest
from azure.eventgrid.aio import EventGridPublisherClient

from tollgate.errors import PublishFailed
from tollgate.events.envelope import is_cloud_event

_BAD_REQUEST: Final = 400
_REFUSED: Final = frozenset({_BAD_REQUEST, 413})
RequestHook = Callable[[PipelineRequest[Any]], None]
_body: Final[ContextVar[bytes]] = ContextVar("body")
# Tells the SDK that these are CloudEvents; what is sent is the body.
_STAND_IN: Final[CloudEvent[Any]] = CloudEvent(source="/", type="-", id="-")


def _send_ready_body(request: PipelineRequest[Any]) -> None:
    """Put the events in, as they are encoded already."""
    request.http_request.set_bytes_body(_body.get())


class EventGridPublisher:
    """A custom topic with the CloudEvents schema.

    Args:
        open_client: Makes the SDK's client, with its credential, and with what it is given as its
            `raw_request_hook`; this class closes it.
    """

    def __init__(self, open_client: Callable[[RequestHook], EventGridPublisherClient]) -> None:
        self._client = open_client(_send_ready_body)
        self._has_taken = False  # whether the topic has ever taken an event

    async def publish(self, events: Sequence[bytes]) -> list[bytes]:
        """Send encoded CloudEvents as one batch; a batch that is refused is sent in halves.

        Returns:
            The events that the topic refuses for what they are.

        Raises:
            PublishFailed: The topic did not take the batch, or did not say so, or it refuses
                everything, so that the fault is more likely its own.
        """
        batch: list[bytes] = []
        refused: list[bytes] = []
        for event in dict.fromkeys(events):
            (batch if is_cloud_event(event) else refused).append(event)
        answers = await self._send(batch) if batch else {}
        takes_none = len(answers) == len(batch) and {*answers.values()} == {_BAD_REQUEST}
        if takes_none and (len(batch) > 1 or not self._has_taken):
            raise PublishFailed("Event Grid answers 400 to every event: is its schema CloudEvents?")
        return refused + list(answers)

    async def _send(self, batch: Sequence[bytes]) -> dict[bytes, int]:
        """Send it, in parts if need be.

        Returns:
            The events that are refused, and the status that said so.
        """
        _body.set(b"[" + b",".join(batch) + b"]")
        try:
            await self._client.send([_STAND_IN])  # pyright: ignore[reportUnknownMemberType]  the SDK leaves CloudEvent's parameter open
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
            return dict.fromkeys(batch, status)
        half = len(batch) // 2
        return await self._send(batch[:half]) | await self._send(batch[half:])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

"""Publishes CloudEvents to an event hub, with the azure-eventhub SDK.

The body of a message is one event, byte for byte as the journal has it; the partition key is the
tenant, so that one tenant's events stay in order and meet in one call of the ledger.
"""

from __future__ import annotations

import logging
from asyncio import sleep, timeout
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Final, TypeVar

from azure.eventhub import EventData, EventDataBatch
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import EventDataSendError, EventHubError

from tollgate.errors import PublishFailed
from tollgate.events.envelope import is_cloud_event, tenant_of

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
MAX_KEY_BYTES: Final = 128  # of a partition key, by the terms of Event Hubs
_TOO_LARGE: Final = "link:message-size-exceeded"
_TIMEOUT_S: Final = 60.0  # for one message; the SDK itself waits for its outcome for ever
_CLOSE_S: Final = 5.0
_AT_ONCE: Final = 16  # events that are encoded before others have their turn; about a millisecond
_Answer = TypeVar("_Answer")
_log: Final = logging.getLogger(__name__)


class EventHubPublisher:
    """An event hub.

    Args:
        open_client: Makes the SDK's client, with its credential; called on the loop that publishes,
            and again after a hub that did not answer. This class closes what it makes.
        timeout_s: How long the hub may take for one message.
    """

    def __init__(
        self, open_client: Callable[[], EventHubProducerClient], timeout_s: float = _TIMEOUT_S
    ) -> None:
        self._open_client = open_client
        self._timeout_s = timeout_s
        self._client: EventHubProducerClient | None = None

    async def publish(self, events: Sequence[bytes]) -> list[bytes]:
        """Send encoded CloudEvents, tenant by tenant, in batches as large as the hub takes them.

        Returns:
            Those that are no CloudEvents, and those that are larger than the hub takes.

        Raises:
            PublishFailed: The hub did not take all of them, or did not say so; those of some
                tenants may have gone through.
        """
        refused: list[bytes] = []
        tenants: dict[str | None, list[bytes]] = {}
        for event in dict.fromkeys(events):
            if is_cloud_event(event):
                tenants.setdefault(partition_key(event), []).append(event)
            else:
                refused.append(event)
        for key, group in tenants.items():
            refused += await self._send(key, group)
        return refused

    async def _send(self, key: str | None, events: Sequence[bytes]) -> list[bytes]:
        """Send events of one key; gives those that are too large."""
        refused: list[bytes] = []
        waiting = [*events]
        while waiting:
            batch = await self._ask(lambda client: client.create_batch(partition_key=key))
            count = await _fill(batch, waiting)
            if count:
                refused += await self._send_batch(batch, key, waiting[:count])
            else:
                refused += _too_large(waiting[0], batch.max_size_in_bytes)
            del waiting[: count or 1]
        return refused

    async def _send_batch(
        self, batch: EventDataBatch, key: str | None, events: Sequence[bytes]
    ) -> list[bytes]:
        """Send a batch; one that the hub finds too large after all is sent in halves."""
        try:
            await self._ask(lambda client: client.send_batch(batch))
        except _BatchTooLargeError:
            half = len(events) // 2
            if not half:
                return _too_large(events[0], batch.max_size_in_bytes)
            return await self._send(key, events[:half]) + await self._send(key, events[half:])
        return []

    async def _ask(self, work: Callable[[EventHubProducerClient], Awaitable[_Answer]]) -> _Answer:
        """Have the client do something.

        Raises:
            PublishFailed: The hub did not do it, or not in time.
            _BatchTooLargeError: It refuses a batch for its size.
        """
        if self._client is None:
            self._client = self._open_client()
        try:
            async with timeout(self._timeout_s):
                return await work(self._client)
        except EventHubError as error:
            if isinstance(error, EventDataSendError) and error.error == _TOO_LARGE:
                raise _BatchTooLargeError from None
            condition = f" ({error.error})" if error.error else ""
            raise PublishFailed(f"Event Hub: {type(error).__name__}{condition}") from None
        except TimeoutError:
            await self.close()  # its connection may be dead: begin with another
            raise PublishFailed(f"Event Hub: no answer in {self._timeout_s:g} s") from None

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(TimeoutError):
                async with timeout(_CLOSE_S):
                    await client.close()


class _BatchTooLargeError(Exception):
    """The hub refuses a batch for its size."""


def partition_key(event: bytes) -> str | None:
    """The tenant, or a digest of a name that is too long for a key; None where there is none."""
    tenant = tenant_of(event)
    if tenant is None or len(tenant.encode()) <= MAX_KEY_BYTES:
        return tenant or None
    return blake2b(tenant.encode(), digest_size=16).hexdigest()


async def _fill(batch: EventDataBatch, events: Sequence[bytes]) -> int:
    """Add as many events as the batch takes; gives their number."""
    for count, event in enumerate(events):
        if count % _AT_ONCE == 0:
            await sleep(0)  # the SDK encodes slowly, and requests are served on the same loop
        data = EventData(event)
        data.content_type = CONTENT_TYPE
        try:
            batch.add(data)
        except ValueError:
            return count
    return len(events)


def _too_large(event: bytes, max_bytes: int) -> list[bytes]:
    _log.error("the hub takes %d bytes a message, but an event has %d", max_bytes, len(event))
    return [event]

"""From a pending usage event and the finished response to the completion of that event.

The completion is a function of the two alone, so that two instances that see the same end make
the same event, and the ledger takes the second for the duplicate that it is.

A response that ends without usage (`failed` and `cancelled` may have `usage: null`) is not
completed. Nobody said what it used: the provider may bill the work before its end, so that `none`
(nothing billable for certain) would claim too much, and there is nothing to estimate from. Its
event stays `pending`, which is to say: to be backfilled from the provider's metrics.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import msgspec

from tollgate.errors import InvalidEvent, StoreUnavailable
from tollgate.proxy.metering import event_name, model_served
from tollgate.proxy.stored_responses import ResponseStore, StoredResponse
from tollgate.usage.event import (
    UsageEvent,
    decode_event,
    usage_event,
)
from tollgate.usage.extraction import Measurement

_OVER: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
_log: Final = logging.getLogger(__name__)


def is_over(measured: Measurement) -> bool:
    """Whether a response has ended, in whatever way."""
    return measured.status in _OVER


def completion_of(pending_event: bytes, measured: Measurement) -> UsageEvent | None:
    """The completion of a pending usage event.

    Args:
        pending_event: The event, encoded.
        measured: What the response says of itself, in a whole answer or in a stream.

    Returns:
        The event with the same id, time and payer, and with the response's counts, model and
        service tier; None while the response is not over, if it says nothing of its usage, or if
        it is another response.

    Raises:
        InvalidEvent: The first argument is no usage event.
    """
    event = decode_event(pending_event).event
    data = event.data
    if not is_over(measured) or measured.tokens is None:
        return None
    if measured.response_id is not None and event_name(measured.response_id) != data.response_id:
        return None
    model, version = model_served((data.model, data.model_version), event_name(measured.model))
    completed = msgspec.structs.replace(
        data,
        provenance="measured",
        completes=True,
        tokens=measured.tokens,
        units=dict(measured.units),
        model=model,
        model_version=version,
        service_tier=event_name(measured.service_tier) or data.service_tier,
    )
    return usage_event(event.id, event.time, completed)


class Completions:
    """Completes pending events; for the client's retrievals and for the gateway's own poll.

    Args:
        store: Holds the pending events.
        record: Writes an event to the journal; may raise OSError.
    """

    def __init__(self, store: ResponseStore, record: Callable[[UsageEvent], None]) -> None:
        self._store = store
        self._record = record

    async def see(self, response: StoredResponse, measured: Measurement) -> bool:
        """Record the completion if `measured` is the end of a response that waits for it.

        Whatever fails is logged, and left to the next one who sees the end.

        Returns:
            Whether nothing is left to be done for this response.
        """
        if response.pending is None:
            return True
        try:
            if completion_of(response.pending, measured) is None:
                return False
        except InvalidEvent as error:
            _log.error("what waits for %r is no usage event: %s", response.response_id, error)
            return False
        taken = await self._take(response)
        # From here to the journal nothing is awaited: a cancelled request takes all or nothing.
        event = None if taken is None else completion_of(taken, measured)
        if event is None:
            return False
        try:
            self._record(event)
        except OSError as error:
            _log.critical("event %s could not be recorded: %s", event.id, error.strerror or error)
            return False
        await self._settled(response)
        return True

    async def _take(self, response: StoredResponse) -> bytes | None:
        try:
            return await self._store.settle(response.response_id, response.tenant)
        except StoreUnavailable as error:  # a duplicate does no harm, a loss would
            _log.warning("response %r may be completed twice: %s", response.response_id, error)
            return response.pending

    async def _settled(self, response: StoredResponse) -> None:
        try:
            await self._store.settled(response.response_id, response.tenant)
        except StoreUnavailable as error:
            _log.warning("response %r may be completed again: %s", response.response_id, error)

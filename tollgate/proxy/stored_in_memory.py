"""Stored responses in memory: for one process, and for tests. A restart forgets them."""

from __future__ import annotations

import heapq
import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from tollgate.proxy.stored_responses import StoredResponse

DEFAULT_RESPONSES: Final = 20_000  # about 1 KB each
LEASE_S: Final = 60.0  # longer than a completion takes to be recorded
_log: Final = logging.getLogger(__name__)

_Key = tuple[str, str]


def log_dropped(response: StoredResponse) -> None:
    """Say that a pending response fell out of memory."""
    _log.error(
        "response %r of %s fell out of memory while it was pending: its usage waits for the"
        " backfill",
        response.response_id,
        response.tenant,
    )


class MemoryResponses:
    """A `ResponseStore` that keeps those that were used last.

    Args:
        steady_s: A steady clock, in seconds.
        max_responses: How many are kept.
        lease_s: For how long `settle` lends a pending event.
        on_dropped: Told of each response that falls out while it is pending.
    """

    def __init__(
        self,
        steady_s: Callable[[], float],
        *,
        max_responses: int = DEFAULT_RESPONSES,
        lease_s: float = LEASE_S,
        on_dropped: Callable[[StoredResponse], None] = log_dropped,
    ) -> None:
        self._steady_s = steady_s
        self._max_responses = max_responses
        self._lease_s = lease_s
        self._on_dropped = on_dropped
        self._responses: OrderedDict[_Key, StoredResponse] = OrderedDict()
        self._due: dict[_Key, datetime] = {}  # of the pending ones
        self._lent_until_s: dict[_Key, float] = {}
        self.dropped_pending = 0

    async def keep(self, response: StoredResponse) -> None:
        """See `ResponseStore.keep`; the one that was unused for longest may fall out."""
        key = (response.response_id, response.tenant)
        self._responses[key] = response
        self._responses.move_to_end(key)
        if response.pending is not None:
            self._due.setdefault(key, response.created_at)
        while len(self._responses) > self._max_responses:
            self._drop_oldest()

    async def find(self, response_id: str, tenant: str) -> StoredResponse | None:
        """See `ResponseStore.find`."""
        key = (response_id, tenant)
        found = self._responses.get(key)
        if found is not None:
            self._responses.move_to_end(key)
        return found

    async def forget(self, response_id: str, tenant: str) -> None:
        """See `ResponseStore.forget`."""
        key = (response_id, tenant)
        self._responses.pop(key, None)
        self._wait_no_more(key)

    async def settle(self, response_id: str, tenant: str) -> bytes | None:
        """See `ResponseStore.settle`."""
        key, now_s = (response_id, tenant), self._steady_s()
        found = self._responses.get(key)
        if found is None or found.pending is None:
            return None
        if key in self._lent_until_s and now_s < self._lent_until_s[key]:
            return None
        self._lent_until_s[key] = now_s + self._lease_s
        return found.pending

    async def settled(self, response_id: str, tenant: str) -> None:
        """See `ResponseStore.settled`."""
        key = (response_id, tenant)
        if key in self._responses:
            self._responses[key] = msgspec.structs.replace(self._responses[key], pending=None)
        self._wait_no_more(key)

    async def pending(self, now: datetime, at_most: int) -> list[StoredResponse]:
        """See `ResponseStore.pending`."""
        due = [(when, key) for key, when in self._due.items() if when <= now]
        return [self._responses[key] for _, key in heapq.nsmallest(at_most, due)]

    async def postpone(self, response_id: str, tenant: str, until: datetime) -> None:
        """See `ResponseStore.postpone`."""
        key = (response_id, tenant)
        if key in self._due:
            self._due[key] = until

    def _drop_oldest(self) -> None:
        key, response = self._responses.popitem(last=False)
        self._wait_no_more(key)
        if response.pending is not None:
            self.dropped_pending += 1
            self._on_dropped(response)

    def _wait_no_more(self, key: _Key) -> None:
        self._due.pop(key, None)
        self._lent_until_s.pop(key, None)

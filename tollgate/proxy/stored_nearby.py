"""Stored responses in memory first and in the shared store behind it.

What this instance created it finds without a round trip, also while the store is away.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from tollgate.errors import StoreUnavailable
from tollgate.proxy.stored_in_memory import MemoryResponses
from tollgate.proxy.stored_responses import ResponseStore, StoredResponse

_log: Final = logging.getLogger(__name__)

_T = TypeVar("_T")
_Key = tuple[str, str]


class CachedResponses:
    """A `ResponseStore` in front of another one.

    While the store is away a pending event may be settled here and on another instance as well:
    both completions are the same, and the ledger counts them once.

    Args:
        store: Shared by all instances.
        memory: Of this instance; it may drop what it likes.
        timeout_s: How long a request waits for the store.
        max_unsaved: How many responses wait for a store that is away.
        retry_s: The pause between two tries to save them.
    """

    def __init__(
        self,
        store: ResponseStore,
        memory: MemoryResponses,
        *,
        timeout_s: float = 1.0,
        max_unsaved: int = 1_000,
        retry_s: float = 5.0,
    ) -> None:
        self._store = store
        self._memory = memory
        self._timeout_s = timeout_s
        self._max_unsaved = max_unsaved
        self._retry_s = retry_s
        self._unsaved: OrderedDict[_Key, StoredResponse] = OrderedDict()
        self.never_saved = 0

    async def keep(self, response: StoredResponse) -> None:
        """See `ResponseStore.keep`; never fails, what the store does not take is saved later."""
        await self._memory.keep(response)
        try:
            await self._in_time(self._store.keep(response))
        except StoreUnavailable as error:
            _log.warning("response %r is saved later: %s", response.response_id, error)
            self._save_later(response)

    async def find(self, response_id: str, tenant: str) -> StoredResponse | None:
        """See `ResponseStore.find`; fails only for what is not in memory."""
        known = await self._memory.find(response_id, tenant)
        known = known or self._unsaved.get((response_id, tenant))
        if known is not None:
            return known
        found = await self._in_time(self._store.find(response_id, tenant))
        if found is not None:
            await self._memory.keep(found)
        return found

    async def forget(self, response_id: str, tenant: str) -> None:
        """See `ResponseStore.forget`; never fails, what is left in the store expires there."""
        await self._memory.forget(response_id, tenant)
        self._unsaved.pop((response_id, tenant), None)
        try:
            await self._in_time(self._store.forget(response_id, tenant))
        except StoreUnavailable as error:
            _log.warning("response %r stays in the store: %s", response_id, error)

    async def settle(self, response_id: str, tenant: str) -> bytes | None:
        """See `ResponseStore.settle`; never fails, without the store what is here counts."""
        if (response_id, tenant) in self._unsaved:
            return await self._settle_here(response_id, tenant)
        try:
            taken = await self._in_time(self._store.settle(response_id, tenant))
        except StoreUnavailable as error:
            _log.warning("response %r is settled without the store: %s", response_id, error)
            return await self._settle_here(response_id, tenant)
        if taken is None:  # another instance is at it, or was: here nothing waits
            await self._memory.settled(response_id, tenant)
        return taken

    async def settled(self, response_id: str, tenant: str) -> None:
        """See `ResponseStore.settled`; never fails, at worst the poll completes it once more."""
        await self._memory.settled(response_id, tenant)
        if waiting := self._unsaved.get((response_id, tenant)):
            done = msgspec.structs.replace(waiting, pending=None)
            self._unsaved[response_id, tenant] = done
        try:
            await self._in_time(self._store.settled(response_id, tenant))
        except StoreUnavailable as error:
            _log.warning("response %r stays pending in the store: %s", response_id, error)

    async def pending(self, now: datetime, at_most: int) -> list[StoredResponse]:
        """See `ResponseStore.pending`: the store's, for they are shared."""
        return await self._store.pending(now, at_most)

    async def postpone(self, response_id: str, tenant: str, until: datetime) -> None:
        """See `ResponseStore.postpone`."""
        await self._store.postpone(response_id, tenant, until)

    async def run(self) -> None:
        """Save what the store did not take, again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._retry_s)
            await self.save_unsaved()

    async def save_unsaved(self) -> None:
        """Save what the store did not take; what it does not take now stays for the next time."""
        for key, response in list(self._unsaved.items()):
            try:
                await self._in_time(self._store.keep(response))
            except StoreUnavailable as error:
                _log.warning("%d responses are saved later: %s", len(self._unsaved), error)
                return
            if self._unsaved.get(key) is response:  # else it changed meanwhile: once more
                del self._unsaved[key]

    async def _settle_here(self, response_id: str, tenant: str) -> bytes | None:
        unsaved = self._unsaved.get((response_id, tenant))
        if unsaved is not None and await self._memory.find(response_id, tenant) is None:
            await self._memory.keep(unsaved)
        return await self._memory.settle(response_id, tenant)

    def _save_later(self, response: StoredResponse) -> None:
        self._unsaved[response.response_id, response.tenant] = response
        if len(self._unsaved) > self._max_unsaved:
            _, lost = self._unsaved.popitem(last=False)
            self.never_saved += 1
            _log.error(
                "response %r of %s is known to this instance alone: the store was away too long",
                lost.response_id,
                lost.tenant,
            )

    async def _in_time(self, call: Coroutine[None, None, _T]) -> _T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await call
        except TimeoutError:
            raise StoreUnavailable(f"the store said nothing for {self._timeout_s:g} s") from None

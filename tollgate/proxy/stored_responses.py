"""Who created which stored response, and where: what keeps tenants behind one identity apart.

A response of the Responses API is known only to the resource that made it, and to that resource
every tenant looks the same. So the gateway remembers the tenant of each response id, and the
backend and deployment that later calls must go to. What waits for its usage (`background`) is
remembered with its pending usage event, until that is completed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

import msgspec


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A response that a backend keeps for a tenant.

    Args:
        response_id: The provider's id of it.
        tenant: Who created it; nobody else gets to see it.
        backend: The name of the backend that knows it.
        alias: The deployment alias that was asked for.
        deployment: The deployment on that backend.
        surface: The kind of URL that it was created with.
        query: The query (`api-version`) that it was created with.
        created_at: When it was created, UTC.
        pending: The encoded pending usage event; None when nothing waits.
    """

    response_id: str
    tenant: str
    backend: str
    alias: str
    deployment: str
    surface: Literal["v1", "dated"]
    query: str
    created_at: datetime
    pending: bytes | None = None


class ResponseStore(Protocol):
    """Remembers stored responses; to one tenant those of another do not exist.

    A pending event leaves in two steps, so that a crash between them loses nothing: `settle`
    lends it to one caller for a while, and `settled` removes it once its completion is recorded.
    A caller that dies in between leaves it to the next one, whose completion is the same.
    """

    async def keep(self, response: StoredResponse) -> None:
        """Remember a response; repeating it changes nothing.

        Raises:
            StoreUnavailable: It may not be remembered.
        """
        ...

    async def find(self, response_id: str, tenant: str) -> StoredResponse | None:
        """The tenant's response; None if it is unknown or another tenant's.

        Raises:
            StoreUnavailable: Nothing is known about it.
        """
        ...

    async def forget(self, response_id: str, tenant: str) -> None:
        """The response was deleted; what waited for it waits no more.

        Raises:
            StoreUnavailable: It may still be remembered.
        """
        ...

    async def settle(self, response_id: str, tenant: str) -> bytes | None:
        """Take the pending event, to complete it and to call `settled` then.

        Returns:
            The encoded event; None if there is none, or another caller has it at the moment.

        Raises:
            StoreUnavailable: Nobody knows who has it.
        """
        ...

    async def settled(self, response_id: str, tenant: str) -> None:
        """Nothing waits for this response any more; it is still remembered.

        Raises:
            StoreUnavailable: Its event may still be seen as pending.
        """
        ...

    async def pending(self, now: datetime, at_most: int) -> list[StoredResponse]:
        """The responses whose backend is to be asked by now, longest due first.

        A new one is due at once.

        Raises:
            StoreUnavailable: They cannot be listed.
        """
        ...

    async def postpone(self, response_id: str, tenant: str, until: datetime) -> None:
        """Ask the backend of a pending response again at `until`, on whichever instance.

        Raises:
            StoreUnavailable: It is due as before.
        """
        ...

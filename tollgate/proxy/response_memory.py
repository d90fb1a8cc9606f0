"""Who created which response, as the request path asks for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from tollgate.errors import StoreUnavailable
from tollgate.proxy.pending_responses import Completions
from tollgate.proxy.pool import Target
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.stored_responses import ResponseStore, StoredResponse
from tollgate.proxy.stored_state import unknown_response
from tollgate.proxy.upstream_requests import Plan
from tollgate.usage.event import UsageEvent, encode_event
from tollgate.usage.extraction import Measurement

_COME_BACK_S: Final = 5.0


class ResponseMemory:
    """Remembers responses for their tenants.

    Args:
        store: Holds them.
        completions: Completes the usage of those that ran in the background.
        now: The time of day, UTC.
    """

    def __init__(
        self, store: ResponseStore, completions: Completions, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._completions = completions
        self._now = now

    async def previous(self, tenant: str, response_id: str) -> StoredResponse:
        """The response that a call goes on from.

        Raises:
            Refusal: 400 if the tenant has not created it; 503 if that is not known.
        """
        found = await self._find(tenant, response_id)
        if found is None:
            raise unknown_response(response_id, "previous_response_id", 400)
        return found

    async def known(self, tenant: str, response_id: str) -> StoredResponse:
        """The response that a call is about.

        Raises:
            Refusal: 404 if the tenant has not created it; 503 if that is not known.
        """
        found = await self._find(tenant, response_id)
        if found is None:
            raise unknown_response(response_id, None, 404)
        return found

    async def created(
        self, tenant: str, plan: Plan, target: Target, response_id: str, event: UsageEvent | None
    ) -> None:
        """A response was created; `event` is its usage event if that is pending."""
        await self._store.keep(
            StoredResponse(
                response_id=response_id,
                tenant=tenant,
                backend=target.backend.name,
                alias=plan.alias,
                deployment=target.deployment.name,
                surface=plan.route.surface,
                query=plan.query,
                created_at=self._now(),
                pending=None if event is None else encode_event(event),
            )
        )

    async def saw(self, stored: StoredResponse, measured: Measurement) -> bool:
        """A response said how it is; if it is over, its pending usage is completed.

        Returns:
            Whether nothing of it is pending any more.
        """
        return await self._completions.see(stored, measured)

    async def deleted(self, stored: StoredResponse) -> None:
        """A response is no more, and what it used stays pending if nobody saw its end."""
        if stored.pending is None:
            await self._store.forget(stored.response_id, stored.tenant)

    async def _find(self, tenant: str, response_id: str) -> StoredResponse | None:
        try:
            return await self._store.find(response_id, tenant)
        except StoreUnavailable:
            raise Refusal(
                503,
                "stored_state_unavailable",
                "The gateway cannot look up who created this response at the moment.",
                retry_after_s=_COME_BACK_S,
            ) from None

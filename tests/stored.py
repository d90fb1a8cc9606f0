"""Builds stored responses, their pending events and what a backend answers for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from builders import NOON, raw_event

from tollgate.errors import StoreUnavailable
from tollgate.proxy.stored_in_memory import MemoryResponses
from tollgate.proxy.stored_responses import StoredResponse
from tollgate.usage.extraction import Measurement, measure_answer

RESPONSE = "resp_1"


def pending_event(response_id: str = RESPONSE, **changes: Any) -> bytes:
    """The usage event of a create in the background."""
    made: dict[str, Any] = {"response_id": response_id, "api": "responses", **changes}
    return raw_event(f"req-of-{response_id}", NOON, provenance="pending", tokens=None, **made)


def stored(response_id: str = RESPONSE, **changes: Any) -> StoredResponse:
    """A response that contoso created, with nothing pending."""
    made = StoredResponse(
        response_id=response_id,
        tenant="contoso",
        backend="weu-1",
        alias="gpt-4o-mini",
        deployment="mini",
        surface="v1",
        query="api-version=preview",
        created_at=NOON,
    )
    return msgspec.structs.replace(made, **changes)


def waiting(response_id: str = RESPONSE, **changes: Any) -> StoredResponse:
    """A response that contoso created in the background."""
    return stored(response_id, **{"pending": pending_event(response_id), **changes})


def body(status: str = "completed", response_id: str = RESPONSE, **changes: Any) -> bytes:
    """A response as its backend answers it, of 700 + 70 tokens."""
    made = {
        "id": response_id,
        "status": status,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "usage": {
            "input_tokens": 700,
            "input_tokens_details": {"cached_tokens": 128},
            "output_tokens": 70,
            "output_tokens_details": {"reasoning_tokens": 20},
        },
    }
    return msgspec.json.encode({**made, **changes})


def measured(status: str = "completed", response_id: str = RESPONSE, **changes: Any) -> Measurement:
    """What such an answer says of itself."""
    return measure_answer(body(status, response_id, **changes), "responses")


class FlakyResponses(MemoryResponses):
    """A shared store that can be away."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.is_away = False

    def _must_be_here(self) -> None:
        if self.is_away:
            raise StoreUnavailable("away")

    async def keep(self, response: StoredResponse) -> None:
        self._must_be_here()
        await super().keep(response)

    async def find(self, response_id: str, tenant: str) -> StoredResponse | None:
        self._must_be_here()
        return await super().find(response_id, tenant)

    async def forget(self, response_id: str, tenant: str) -> None:
        self._must_be_here()
        await super().forget(response_id, tenant)

    async def settle(self, response_id: str, tenant: str) -> bytes | None:
        self._must_be_here()
        return await super().settle(response_id, tenant)

    async def settled(self, response_id: str, tenant: str) -> None:
        self._must_be_here()
        await super().settled(response_id, tenant)

    async def pending(self, now: datetime, at_most: int) -> list[StoredResponse]:
        self._must_be_here()
        return await super().pending(now, at_most)

    async def postpone(self, response_id: str, tenant: str, until: datetime) -> None:
        self._must_be_here()
        await super().postpone(response_id, tenant, until)

"""From an event to what it changes in the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from tollgate.usage.event import COMPLETABLE, ReceivedEvent, UsageData
from tollgate.usage.periods import day_of, hour_of
from tollgate.usage.sku import Sku, sku_of
from tollgate.usage.tokens import leaves

_HOUR: Final = timedelta(hours=1)


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What one event adds, where, and how a repetition of it is recognised.

    Args:
        key: Digest of the idempotency key, 16 bytes.
        body: Digest of the body, 8 bytes.
        hour: UTC hour of the event's time; `day` is its UTC day.
        beside: The hours before and after: the same key there is a conflict, for a time that is
            written in another way may fall on the other side.
        counts: Leaf or unit to its quantity; zero is left out, but for the output of a request
            that only reasoned: reasoning is output, so the request is one of output.
        completable: A completion may replace it.
        completes: It is such a completion itself.
        raw: The bytes as received.
    """

    key: bytes
    body: bytes
    tenant: str
    hour: str
    beside: tuple[str, str]
    day: str
    billing_code: str | None
    user: str | None
    sku: Sku
    counts: dict[str, int]
    completable: bool
    completes: bool
    raw: bytes


def book(received: ReceivedEvent) -> Booking:
    """The booking of a received event."""
    data, time = received.event.data, received.event.time
    return Booking(
        key=received.key,
        body=received.body,
        tenant=data.tenant,
        hour=hour_of(time),
        beside=(hour_of(time - _HOUR), hour_of(time + _HOUR)),
        day=day_of(time),
        billing_code=data.billing_code,
        user=data.user,
        sku=sku_of(data),
        counts=_counts(data),
        completable=data.provenance in COMPLETABLE and not data.completes,
        completes=data.completes,
        raw=received.raw,
    )


def _counts(data: UsageData) -> dict[str, int]:
    """Leaves and units; no unit is named like a leaf."""
    counts = {**(leaves(data.tokens) if data.tokens else {}), **data.units}
    counted = {meter: quantity for meter, quantity in counts.items() if quantity}
    if "reasoning_output" in counted:
        counted.setdefault("output", 0)
    return counted

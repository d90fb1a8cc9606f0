"""From an event to what it changes in the ledger."""

from __future__ import annotations

import msgspec

from tollgate.usage.event import COMPLETABLE, ReceivedEvent, UsageData
from tollgate.usage.periods import day_of, hour_of
from tollgate.usage.sku import Sku, sku_of
from tollgate.usage.tokens import leaves


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What one event adds, where, and how a repetition of it is recognised.

    Args:
        key: Digest of the idempotency key, 16 bytes.
        body: Digest of the body, 8 bytes.
        hour: UTC hour of the event's time; `day` is its UTC day.
        counts: Leaf or unit to its quantity; zero is left out.
        completable: A completion may replace it.
        completes: It is such a completion itself.
        raw: The bytes as received.
    """

    key: bytes
    body: bytes
    tenant: str
    hour: str
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
    return {meter: quantity for meter, quantity in counts.items() if quantity}

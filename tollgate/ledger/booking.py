"""From an event to what it changes in the ledger."""

from __future__ import annotations

from typing import Literal

import msgspec

from tollgate.usage.event import COMPLETABLE, ReceivedEvent, UsageData
from tollgate.usage.periods import day_of, hour_of, hours_beside
from tollgate.usage.sku import Sku, sku_of
from tollgate.usage.tokens import leaves

# plain       final as it is
# open        a completion may replace it
# completion  it is such a completion itself
Kind = Literal["plain", "open", "completion"]


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What one event adds, where, and how a repetition of it is recognised.

    Args:
        key: Digest of the idempotency key, 16 bytes.
        body: Digest of the body, 8 bytes.
        hour: UTC hour of the event's time; `day` is its UTC day.
        beside: The hours before and after: the same key there is a conflict, for a time that is
            written in another way may fall on the other side.
        counts: See `counts_of`.
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
    kind, hour = kind_of(data), hour_of(time)
    return Booking(
        key=received.key,
        body=received.body,
        tenant=data.tenant,
        hour=hour,
        beside=hours_beside(hour),
        day=day_of(time),
        billing_code=data.billing_code,
        user=data.user,
        sku=sku_of(data),
        counts=counts_of(data),
        completable=kind == "open",
        completes=kind == "completion",
        raw=received.raw,
    )


def kind_of(data: UsageData) -> Kind:
    """What an event is to a completion."""
    if data.completes:
        return "completion"
    return "open" if data.provenance in COMPLETABLE else "plain"


def counts_of(data: UsageData) -> dict[str, int]:
    """Leaf or unit to its quantity; no unit is named like a leaf.

    Zero is left out, but for the output of a request that only reasoned: reasoning is output, so
    the request is one of output.
    """
    counts = leaves(data.tokens) if data.tokens else {}
    if data.units:
        counts |= {unit: quantity for unit, quantity in data.units.items() if quantity}
    if "reasoning_output" in counts and "output" not in counts:
        counts["output"] = 0
    return counts

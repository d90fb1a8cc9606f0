"""From a line of a statement to the requests behind it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tollgate.ledger.booking import Booking
from tollgate.ledger.recorded import Records
from tollgate.ledger.same_key import Count, settle
from tollgate.usage.event import decode_event
from tollgate.usage.periods import Month


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Which line: whatever is None may be anything.

    Args:
        month: The month.
        tenant: Whose line.
        billing_code: "" is unallocated usage.
        meter: As a statement names it: reasoning is output.
        period: What an hour `YYYY-MM-DDTHH` begins with, for a day or an hour of it.
    """

    month: Month
    tenant: str
    billing_code: str | None = None
    model: str | None = None
    meter: str | None = None
    provenance: str | None = None
    period: str = ""

    def quantity(self, count: Count) -> int | None:
        """How much a request adds to the line; None if it is not one of it."""
        place, usage = count
        wanted = (
            (self.billing_code, place.billing_code or ""),
            (self.model, usage.sku.model),
            (self.provenance, usage.sku.provenance),
        )
        if not place.hour.startswith(f"{self.month}-") or not place.hour.startswith(self.period):
            return None
        if any(value is not None and value != found for value, found in wanted):
            return None
        return 0 if self.meter is None else _quantity(usage, self.meter)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request behind a line.

    Args:
        id: The gateway's request id.
        time: When its response completed, RFC 3339; a completion's own is later.
        quantity: What it adds to the line.
    """

    id: str
    gateway: str
    time: str
    quantity: int
    backend: str | None


def requests_behind(line: Line, records: Records) -> list[Request]:
    """The requests behind a line, by time; their quantities add up to the line's."""
    return sorted(_requests(line, records), key=lambda each: (each.time, each.gateway, each.id))


def _requests(line: Line, records: Records) -> Iterator[Request]:
    for recorded in records.by_key(lambda event: event.event.data.tenant == line.tenant):
        for count in settle(recorded.bookings).counts:
            quantity = line.quantity(count)
            if quantity is not None:
                place = decode_event(count.place.raw).event
                yield Request(
                    id=place.id,
                    gateway=place.data.gateway,
                    time=place.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    quantity=quantity,
                    backend=count.usage.sku.backend,
                )


def _quantity(usage: Booking, meter: str) -> int | None:
    counts = dict(usage.counts)
    if "reasoning_output" in counts:  # a statement has no line of its own for it
        counts["output"] = counts.get("output", 0) + counts.pop("reasoning_output")
    return counts.get(meter)

"""Events of one tenant as the script takes them: names and SKUs once, then numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec

from tollgate.ledger.booking import counts_of, kind_of
from tollgate.ledger.keys import SPAN_H
from tollgate.usage.event import ReceivedEvent
from tollgate.usage.periods import hour_of, hours_beside
from tollgate.usage.sku import sku_values

# A script call keeps the server from everything else: these bound it to a few milliseconds.
# What one call adds up must also stay below 2^53 = 9 x 10^15, and a quantity may be 10^12.
MAX_EVENTS_A_CALL: Final = 500
MAX_WORK_A_CALL: Final = 2_500
_WORK_OF_COMPLETION: Final = 10  # it may look into every span

_encoder: Final = msgspec.json.Encoder()


class Batch:
    """Events of one tenant for one call of the script.

    Attributes:
        positions: Where each event stands in what was given to the ledger.
        events: The events.
    """

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.events: list[ReceivedEvent] = []
        self._work = 0
        self._digests: list[bytes] = []
        self._numbers: list[tuple[int, ...]] = []
        # what the numbers stand for, each with its index from 1
        self._hours: dict[str, int] = {}
        self._places: dict[tuple[str, str | None, str | None], int] = {}
        self._skus: dict[tuple[str | None, ...], int] = {}
        self._shapes: dict[tuple[str, ...], int] = {}

    @property
    def is_full(self) -> bool:
        """Whether the next event belongs to another call."""
        return len(self.events) >= MAX_EVENTS_A_CALL or self._work >= MAX_WORK_A_CALL

    def add(self, position: int, received: ReceivedEvent) -> None:
        """Add an event of the tenant."""
        data = received.event.data
        counts, kind = counts_of(data), kind_of(data)
        self.positions.append(position)
        self.events.append(received)
        self._work += len(counts) + (_WORK_OF_COMPLETION if kind == "completion" else 0)
        self._digests.append(received.key + received.body)
        place = (hour_of(received.event.time), data.billing_code, data.user)
        self._numbers.append(
            (
                _index(self._places, place),
                _index(self._skus, sku_values(data)),
                _index(self._shapes, (kind, *counts)),
                *counts.values(),
            )
        )

    def hours(self) -> list[str]:
        """The hours that the events lie in."""
        return list(dict.fromkeys(hour for hour, _, _ in self._places))

    def arguments(self) -> tuple[bytes, bytes]:
        """The digests and the batch, as the script takes them."""
        hours = {hour: index for index, hour in enumerate(self.hours(), start=1)}
        places = [(hours[hour], as_json(code), as_json(user)) for hour, code, user in self._places]
        batch = {
            "hours": [(hour, *hours_beside(hour)) for hour in hours],
            "span_h": SPAN_H,
            "places": places,
            "skus": list(map(as_json, self._skus)),
            "shapes": list(self._shapes),
            "events": self._numbers,
        }
        return b"".join(self._digests), _encoder.encode(batch)


def _index(known: dict[Any, int], value: Any) -> int:
    """The value's index among those known, which from now on it is."""
    found = known.get(value)
    if found is None:
        found = known[value] = len(known) + 1
    return found


@lru_cache(maxsize=16_384)
def as_json(name: str | tuple[str | None, ...] | None) -> str:
    """A name or the values of a SKU as the ledger stores them: no name can look like two."""
    return _encoder.encode(name).decode()

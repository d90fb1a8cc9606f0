"""A broker that delivers at least once: what is not acknowledged comes again, and more than that.

As the Functions host and Event Grid do, as far as a ledger can tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec
from load.feed import Batch, respelled

_RESPELLED: Final = 0.3  # of the deliveries behind the first


class Delivery(msgspec.Struct, frozen=True):
    """One delivery of a batch."""

    batch: int
    raws: tuple[bytes, ...]


class Deliveries:
    """All deliveries of some batches, in an order drawn.

    Args:
        batches: Each is delivered, and again until each delivery is acknowledged.
        random: Draws.
        times: How often, one of these.

    Attributes:
        acknowledged: How many deliveries were.
        events: How many events were handed out, with all repetitions.
        returned: How many deliveries came back, as their worker had died or could not store.
    """

    def __init__(
        self, batches: Sequence[Batch], random: Random, times: Sequence[int] = (1, 2, 3)
    ) -> None:
        self.acknowledged = self.events = self.returned = 0
        self._batches, self._random, self._times = batches, random, times
        self._known: set[int] = set()
        self._held = [number for number, batch in enumerate(batches) if batch.after]
        self._waiting: list[Delivery] = []
        self._out = 0
        self._changed = asyncio.Condition()
        for number, batch in enumerate(batches):
            if not batch.after:
                self._put(number)
        self.planned = len(self._waiting) + 2 * len(self._held)

    async def take(self) -> Delivery | None:
        """The next delivery; None when everything is acknowledged."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting or self.is_done)
            if not self._waiting:
                return None
            delivery = self._waiting.pop()
            self._out += 1
            self.events += len(delivery.raws)
            return delivery

    @property
    def is_done(self) -> bool:
        """Whether everything is acknowledged."""
        return not (self._waiting or self._held or self._out)

    async def acknowledge(self, delivery: Delivery) -> None:
        """It was taken in."""
        async with self._changed:
            self._out -= 1
            self.acknowledged += 1
            self._known.add(delivery.batch)
            free = [each for each in self._held if self._batches[each].after <= self._known]
            for number in free:
                self._held.remove(number)
                self._put(number)
            self._changed.notify_all()

    async def give_back(self, delivery: Delivery) -> None:
        """It comes again, some time."""
        async with self._changed:
            self._out -= 1
            self.returned += 1
            self._insert(delivery)
            self._changed.notify_all()

    def _put(self, number: int) -> None:
        for time in range(self._random.choice(self._times)):
            self._insert(self._delivery(number, is_first=not time))

    def _delivery(self, number: int, *, is_first: bool) -> Delivery:
        batch, random = self._batches[number], self._random
        events = list(batch.events)
        if not is_first and random.random() < _RESPELLED:
            events = [respelled(event, random) for event in events]
        raws = [*events, *batch.refused]
        random.shuffle(raws)
        return Delivery(number, tuple(raws))

    def _insert(self, delivery: Delivery) -> None:
        self._waiting.insert(self._random.randint(0, len(self._waiting)), delivery)

"""Event hubs: their partitions, and the events in them."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable
from itertools import count
from typing import Any, Final, NamedTuple

from eventhubs.amqp_types import Symbol, Timestamp
from eventhubs.messages import (
    ANNOTATIONS,
    APPLICATION,
    DATA,
    HEADER,
    PARTITION_KEY,
    PROPERTIES,
    SEQUENCE,
    VALUE,
    Message,
    parse,
    section,
)

_SELECTOR: Final = re.compile(
    r"\s*amqp\.annotation\.(x-opt-offset|x-opt-sequence-number|x-opt-enqueued-time)"
    r"\s*(>=?)\s*'(.*?)'\s*"
)
_LATEST: Final = "@latest"
_OVERHEAD_BYTES: Final = 64


class StoredEvent(NamedTuple):
    """An event in a partition.

    Args:
        partition_id: Whose.
        sequence_number: Its place there, from 0.
        offset: The same in bytes.
        enqueued_ms: When it came, in milliseconds since 1970.
        key: Its partition key.
        message: The message as it was sent.
    """

    partition_id: str
    sequence_number: int
    offset: int
    enqueued_ms: int
    key: str | None
    message: Message

    @property
    def body(self) -> bytes:
        """Its data."""
        return b"".join(self.message.every(DATA))

    @property
    def content_type(self) -> str | None:
        """The content type among its properties."""
        return (self.message.first(PROPERTIES) or [None] * 7)[6]

    def wire(self) -> bytes:
        """The message as a consumer gets it."""
        annotations: dict[Any, Any] = {
            **{Symbol(name): value for name, value in self.message.annotations.items()},
            Symbol("x-opt-sequence-number"): self.sequence_number,
            Symbol("x-opt-offset"): str(self.offset),
            Symbol("x-opt-enqueued-time"): Timestamp(self.enqueued_ms),
        }
        if self.key is not None:
            annotations[Symbol(PARTITION_KEY)] = self.key
        return (
            self.message.raw(HEADER)
            + section(ANNOTATIONS, annotations)
            + self.message.raw(PROPERTIES, APPLICATION, DATA, SEQUENCE, VALUE)
        )


_COLUMNS: Final[dict[str, Callable[[StoredEvent], int]]] = {
    "x-opt-offset": lambda event: event.offset,
    "x-opt-sequence-number": lambda event: event.sequence_number,
    "x-opt-enqueued-time": lambda event: event.enqueued_ms,
}


class Partition:
    """A log of events."""

    def __init__(self, partition_id: str) -> None:
        self.id = partition_id
        self.events: list[StoredEvent] = []
        self._next_offset = 0

    def append(self, raw: bytes, key: str | None) -> None:
        """Store an event."""
        message = parse(raw)
        now_ms = time.time_ns() // 1_000_000
        key = message.key if message.key is not None else key
        place = len(self.events), self._next_offset, now_ms
        self.events.append(StoredEvent(self.id, *place, key, message))
        self._next_offset += len(raw) + _OVERHEAD_BYTES

    def position(self, selector: str | None) -> int:
        """Where a consumer with that filter begins.

        Raises:
            ValueError: It is none that Event Hubs knows.
        """
        if selector is None:
            return 0
        if (match := _SELECTOR.fullmatch(selector)) is None:
            raise ValueError(f"no filter of an event hub: {selector}")
        name, operator, text = match.groups()
        if text == _LATEST:
            return len(self.events)
        column, begin = _COLUMNS[name], int(text) + (operator == ">")
        wanted = (at for at, event in enumerate(self.events) if column(event) >= begin)
        return next(wanted, len(self.events))


class Hub:
    """A hub.

    Args:
        name: Its name.
        partitions: How many it has.
    """

    def __init__(self, name: str, partitions: int) -> None:
        self.name = name
        self.partitions = {str(number): Partition(str(number)) for number in range(partitions)}
        self.created_ms = time.time_ns() // 1_000_000
        self._turns = count()

    @property
    def events(self) -> list[StoredEvent]:
        """All events, partition by partition."""
        return [event for part in self.partitions.values() for event in [*part.events]]

    def partition_for(self, key: str | None) -> Partition:
        """Where an event goes that names no partition: by its key, or else in turn."""
        number = next(self._turns) if key is None else zlib.crc32(key.encode())
        return self.partitions[str(number % len(self.partitions))]

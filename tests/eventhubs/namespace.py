"""A namespace: hubs, who reads them, and what becomes of what is sent to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from eventhubs.amqp_types import Described
from eventhubs.faults import TOO_LARGE, Detach, Drop, Faults, Refuse, Slow, next_of
from eventhubs.frames import ACCEPTED, rejected
from eventhubs.hub import Hub
from eventhubs.links import Link, PartitionLink
from eventhubs.messages import BATCH_FORMAT, DATA, parse
from eventhubs.services import Services

# Ends a link with an error, or with None the whole connection without a word.
End = Callable[[str | None], None]


class Namespace:
    """What connections speak to.

    Args:
        hubs: The hubs, and how many partitions each has.
        max_message_bytes: Of a message, batches included.
    """

    def __init__(self, hubs: Mapping[str, int], max_message_bytes: int) -> None:
        self.hubs = {name: Hub(name, partitions) for name, partitions in hubs.items()}
        self.max_message_bytes = max_message_bytes
        self.faults = Faults()
        self.services = Services(self.hubs, self.faults)
        self.messages = 0  # that came to hubs, refused or not
        self._readers: list[PartitionLink] = []

    def clear(self) -> None:
        """Forget all that was stored, put and counted, and the faults to come."""
        for hub in self.hubs.values():
            for partition in hub.partitions.values():
                partition.events.clear()
        self.messages = 0
        self.services.tokens.clear()
        for faults in vars(self.faults).values():
            faults.clear()

    def owned_by_higher(self, link: PartitionLink) -> bool:
        """Whether a reader is there that does not give way."""
        level = -1 if link.owner_level is None else link.owner_level
        return any(
            reader.group == link.group
            and reader.owner_level is not None
            and reader.owner_level > level
            for reader in self._readers
        )

    def admit(self, link: PartitionLink) -> None:
        """A reader comes; those that it owns the partition before have to leave."""
        if link.owner_level is not None:
            for reader in [reader for reader in self._readers if reader.group == link.group]:
                self.forget(reader)
                reader.detach("amqp:link:stolen", "a reader with an owner level came")
        self._readers.append(link)

    def forget(self, link: Link) -> None:
        """A link ends."""
        if isinstance(link, PartitionLink) and link in self._readers:
            self._readers.remove(link)

    async def take(
        self, hub: str, partition: str | None, message: bytes, form: int, end: End
    ) -> Described | None:
        """Store a message, or do what the next fault says; gives the outcome to be told."""
        self.messages += 1
        if len(message) > self.max_message_bytes:
            return rejected(TOO_LARGE, f"{len(message)} bytes are more than a hub takes")
        match next_of(self.faults.sends):
            case Refuse(condition):
                return rejected(condition, "a fault on demand")
            case Detach(condition):
                end(condition)
                return None
            case Drop(stored):
                if stored:
                    self.store(hub, partition, message, form)
                end(None)
                return None
            case Slow(delay_s):
                await asyncio.sleep(delay_s)
            case None:
                pass
        self.store(hub, partition, message, form)
        return ACCEPTED

    def store(self, hub: str, partition_id: str | None, raw: bytes, form: int = 0) -> None:
        """Store a message, or each message of a batch, and let the readers have it."""
        message = parse(raw)
        events: list[bytes] = message.every(DATA) if form == BATCH_FORMAT else [raw]
        partitions = self.hubs[hub].partitions
        into = (
            partitions[partition_id] if partition_id else self.hubs[hub].partition_for(message.key)
        )
        for event in events:
            into.append(event, message.key)
        for reader in [*self._readers]:
            if reader.partition is into:
                reader.pump()

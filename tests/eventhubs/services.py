"""What the broker answers at `$cbs`, where tokens are put, and at `$management`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eventhubs.amqp_types import Int, Strings, Symbol, Timestamp
from eventhubs.faults import Faults, next_of
from eventhubs.hub import Hub, Partition
from eventhubs.messages import APPLICATION, PROPERTIES, VALUE, Message, reply

CBS: Final = "$cbs"
MANAGEMENT: Final = "$management"
HUB_TYPE: Final = "com.microsoft:eventhub"
PARTITION_TYPE: Final = "com.microsoft:partition"
_OK: Final = {"status-code": Int(200), "status-description": "OK"}
_ACCEPTED: Final = {"status-code": Int(202), "status-description": "Accepted"}


class Services:
    """Both of them.

    Args:
        hubs: By name.
        faults: What goes wrong.

    Attributes:
        tokens: What was put, and for whom.
    """

    def __init__(self, hubs: Mapping[str, Hub], faults: Faults) -> None:
        self._hubs = hubs
        self._faults = faults
        self.tokens: list[tuple[str, str]] = []

    def answer(self, node: str, request: Message) -> bytes:
        """The message that answers a request at a node."""
        asked: dict[str, Any] = request.first(APPLICATION)
        if node == CBS:
            status, body = self._put_token(asked, request.first(VALUE)), None
        else:
            status, body = self._read(asked)
        return reply(request.first(PROPERTIES)[0], status, body)

    def _put_token(self, asked: Mapping[str, Any], token: str) -> dict[str, Any]:
        if fault := next_of(self._faults.tokens):
            return _failure(fault, "amqp:unauthorized-access")
        self.tokens.append((asked["name"], token))
        return _ACCEPTED

    def _read(self, asked: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        if fault := next_of(self._faults.readings):
            return _failure(fault, "com.microsoft:server-busy"), None
        hub = self._hubs.get(asked["name"])
        if hub is not None and asked["type"] == HUB_TYPE:
            return _OK, _hub_properties(hub)
        partition = hub and hub.partitions.get(asked.get("partition", ""))
        if hub is None or partition is None:
            return _failure(404, "amqp:not-found"), None
        return _OK, _partition_properties(hub, partition)


def _failure(status: int, condition: str) -> dict[str, Any]:
    return {
        "status-code": Int(status),
        "status-description": "a fault on demand, or no such entity",
        "error-condition": Symbol(condition),
    }


def _hub_properties(hub: Hub) -> dict[str, Any]:
    return {
        "name": hub.name,
        "type": HUB_TYPE,
        "created_at": Timestamp(hub.created_ms),
        "partition_count": Int(len(hub.partitions)),
        "partition_ids": Strings(hub.partitions),
    }


def _partition_properties(hub: Hub, partition: Partition) -> dict[str, Any]:
    last = partition.events[-1] if partition.events else None
    return {
        "name": hub.name,
        "type": PARTITION_TYPE,
        "partition": partition.id,
        "begin_sequence_number": 0,
        "last_enqueued_sequence_number": last.sequence_number if last else -1,
        "last_enqueued_offset": str(last.offset if last else -1),
        "last_enqueued_time_utc": Timestamp(last.enqueued_ms if last else hub.created_ms),
        "is_partition_empty": last is None,
    }

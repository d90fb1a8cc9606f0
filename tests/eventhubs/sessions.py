"""Sessions and what flows through them: transfer ids and windows (2.5 of the standard)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from eventhubs.amqp_types import UInt
from eventhubs.frames import FLOW, TRANSFER, Frame, frame

_WINDOW: Final = UInt(0x7FFFFFFF)
_FRAME_OVERHEAD_BYTES: Final = 128

Write = Callable[[bytes], None]


class Session:
    """One session of a connection.

    Args:
        begin: The client's begin frame.
        write: Sends bytes.
        max_frame_bytes: What the client takes in one frame.
    """

    def __init__(self, begin: Frame, write: Write, max_frame_bytes: int) -> None:
        self.channel = begin.channel
        self._write = write
        self._max_frame_bytes = max_frame_bytes
        self._next_incoming_id: int = begin.fields[1]
        self._next_outgoing_id = 0
        self.client_window: int = begin.fields[2]

    @property
    def begin_fields(self) -> list[Any]:
        """Of the broker's begin frame."""
        return [self.channel, UInt(0), _WINDOW, _WINDOW, UInt(255)]

    def send(self, code: int, fields: Sequence[Any], payload: bytes = b"") -> None:
        """Send a frame."""
        self._write(frame(self.channel, code, fields, payload))

    def on_flow(self, fields: Sequence[Any]) -> None:
        """The client says how many transfers it takes."""
        self.client_window = (fields[0] or 0) + fields[1] - self._next_outgoing_id

    def on_transfer(self) -> None:
        """A transfer frame came."""
        self._next_incoming_id += 1

    def flow(self, handle: int, delivery_count: int, credit: int, *, drained: bool = False) -> None:
        """Say how much a link may send, or has sent."""
        ids = [UInt(self._next_incoming_id), _WINDOW, UInt(self._next_outgoing_id), _WINDOW]
        link = [UInt(handle), UInt(delivery_count), UInt(credit), None, drained, False]
        self.send(FLOW, ids + link)

    def transfer(self, handle: int, message: bytes) -> None:
        """Send a settled message, in as many frames as it needs."""
        room = self._max_frame_bytes - _FRAME_OVERHEAD_BYTES
        delivery_id = UInt(self._next_outgoing_id)
        tag = delivery_id.to_bytes(4)
        for begin in range(0, len(message), room):
            more = begin + room < len(message)
            fields = [UInt(handle), delivery_id, tag, UInt(0), True, more]
            self.send(TRANSFER, fields, message[begin : begin + room])
            self._next_outgoing_id += 1
            self.client_window -= 1

"""The frames of AMQP 1.0 (part 2 of the standard), and those of its SASL layer."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from eventhubs.amqp_decoding import decode
from eventhubs.amqp_encoding import encode
from eventhubs.amqp_types import Described, Strings, Symbol, UByte

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
ACCEPTED: Final = Described(0x24, [])
MAX_FRAME_BYTES: Final = 1024 * 1024

# The SDK reads fields by their place, so trailing ones that are null are never left out.
_FIELDS: Final = {
    OPEN: 10,
    BEGIN: 8,
    ATTACH: 14,
    FLOW: 11,
    TRANSFER: 11,
    DISPOSITION: 6,
    DETACH: 3,
    END: 1,
    CLOSE: 1,
}
_SASL_PROTOCOL: Final = 3
_AMQP_FRAME, _SASL_FRAME = 0, 1
_HEAD: Final = struct.Struct(">IBBH")


class Frame(NamedTuple):
    """A performative as it came.

    Args:
        channel: Of its session.
        code: Which one.
        fields: All of them; None for one that is not given.
        payload: Of a transfer.
    """

    channel: int
    code: int
    fields: list[Any]
    payload: bytes


def error(condition: str, description: str) -> Described:
    """An AMQP error."""
    return Described(0x1D, [Symbol(condition), description, None])


def rejected(condition: str, description: str) -> Described:
    """The outcome of a message that is refused."""
    return Described(0x25, [error(condition, description)])


def frame(channel: int, code: int, fields: Sequence[Any], payload: bytes = b"") -> bytes:
    """The bytes of a performative."""
    padded = [*fields] + [None] * (_FIELDS[code] - len(fields))
    return _framed(_AMQP_FRAME, channel, encode(Described(code, padded)) + payload)


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None for an empty one, which only says that its sender is there."""
    size, offset, _, channel = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    rest = (await reader.readexactly(size - _HEAD.size))[offset * 4 - _HEAD.size :]
    if not rest:
        return None
    performative, end = decode(rest)
    code, given = performative
    fields = [*given] + [None] * (_FIELDS[code] - len(given))
    return Frame(channel, code, fields, rest[end:])


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Agree on AMQP 1.0, after SASL ANONYMOUS if the client begins with SASL."""
    protocol = await reader.readexactly(8)
    if protocol[4] == _SASL_PROTOCOL:
        mechanisms = Described(0x40, [Strings([Symbol("ANONYMOUS")])])
        writer.write(protocol + _framed(_SASL_FRAME, 0, encode(mechanisms)))
        size, *_ = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        await reader.readexactly(size - _HEAD.size)
        writer.write(_framed(_SASL_FRAME, 0, encode(Described(0x44, [UByte(0)]))))
        protocol = await reader.readexactly(8)
    writer.write(protocol)


def _framed(kind: int, channel: int, content: bytes) -> bytes:
    return _HEAD.pack(len(content) + _HEAD.size, 2, kind, channel) + content

"""Encodes AMQP 1.0 values (part 1 of the standard)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast
from uuid import UUID

from eventhubs.amqp_types import (
    Described,
    Int,
    Strings,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

_SINGLE: Final = {None: b"\x40", True: b"\x41", False: b"\x42"}
_NUMBERS: Final[dict[type[Any], tuple[int, str]]] = {
    UByte: (0x50, ">B"),
    UShort: (0x60, ">H"),
    UInt: (0x70, ">I"),
    Int: (0x71, ">i"),
    int: (0x81, ">q"),
    float: (0x82, ">d"),
    Timestamp: (0x83, ">q"),
}


def encode(value: Any) -> bytes:
    """The bytes of a value, its constructor included."""
    if value is None or isinstance(value, bool):
        return _SINGLE[value]
    kind = type(cast("object", value))
    if number := _NUMBERS.get(kind):
        code, shape = number
        return bytes((code,)) + struct.pack(shape, value)
    return next(write for kind, write in _OTHERS if isinstance(value, kind))(value)


def _described(value: Described) -> bytes:
    code = value.code if isinstance(value.code, str) else ULong(value.code)
    return b"\x00" + encode(code) + encode(value.value)


def _ulong(value: int) -> bytes:
    return bytes((0x53, value)) if value < 256 else b"\x80" + struct.pack(">Q", value)


def _variable(short: int, long: int, content: bytes) -> bytes:
    if len(content) < 256:
        return bytes((short, len(content))) + content
    return bytes((long,)) + struct.pack(">I", len(content)) + content


def _strings(value: Strings) -> bytes:
    code = 0xB3 if any(isinstance(item, Symbol) for item in value) else 0xB1
    items = [item.encode() for item in value]
    content = b"".join(struct.pack(">I", len(item)) + item for item in items)
    head = struct.pack(">II", len(content) + 5, len(items))
    return b"\xf0" + head + bytes((code,)) + content


def _compound(code: int, items: Sequence[Any]) -> bytes:
    content = b"".join(map(encode, items))
    return bytes((code,)) + struct.pack(">II", len(content) + 4, len(items)) + content


def _map(value: Mapping[Any, Any]) -> bytes:
    return _compound(0xD1, [part for pair in value.items() for part in pair])


# In this order: a symbol is a `str`, and a described value is a tuple.
_OTHERS: Final[tuple[tuple[type, Callable[[Any], bytes]], ...]] = (
    (Described, _described),
    (ULong, _ulong),
    (Symbol, lambda value: _variable(0xA3, 0xB3, value.encode())),
    (str, lambda value: _variable(0xA1, 0xB1, value.encode())),
    (bytes, lambda value: _variable(0xA0, 0xB0, value)),
    (UUID, lambda value: b"\x98" + value.bytes),
    (Strings, _strings),
    (list, lambda value: _compound(0xD0, value)),
    (dict, _map),
)

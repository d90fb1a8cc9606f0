"""Decodes AMQP 1.0 values (part 1 of the standard)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final
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

_CONSTANTS: Final[dict[int, Any]] = {
    0x40: None,
    0x41: True,
    0x42: False,
    0x43: UInt(0),
    0x44: ULong(0),
}
_NUMBERS: Final[dict[int, tuple[str, type]]] = {
    0x50: (">B", UByte),
    0x51: (">b", int),
    0x52: (">B", UInt),
    0x53: (">B", ULong),
    0x54: (">b", Int),
    0x55: (">b", int),
    0x56: (">?", bool),
    0x60: (">H", UShort),
    0x61: (">h", int),
    0x70: (">I", UInt),
    0x71: (">i", Int),
    0x72: (">f", float),
    0x80: (">Q", ULong),
    0x81: (">q", int),
    0x82: (">d", float),
    0x83: (">q", Timestamp),
}
_VARIABLE: Final[dict[int, tuple[str, Callable[[bytes], Any]]]] = {
    0xA0: (">B", bytes),
    0xB0: (">I", bytes),
    0xA1: (">B", bytes.decode),
    0xB1: (">I", bytes.decode),
    0xA3: (">B", lambda content: Symbol(content.decode())),
    0xB3: (">I", lambda content: Symbol(content.decode())),
}
_LISTS: Final = {0xC0: ">BB", 0xD0: ">II"}
_MAPS: Final = {0xC1: ">BB", 0xD1: ">II"}
_ARRAYS: Final = {0xE0: ">BB", 0xF0: ">II"}


def decode(data: bytes, at: int = 0) -> tuple[Any, int]:
    """The value that begins at `at`, and where the next one begins.

    Raises:
        ValueError: There is no such constructor.
    """
    code = data[at]
    if code == 0x00:
        descriptor, at = decode(data, at + 1)
        value, at = decode(data, at)
        return Described(descriptor, value), at
    return _decode_as(code, data, at + 1)


def _decode_as(code: int, data: bytes, at: int) -> tuple[Any, int]:
    if code in _CONSTANTS:
        return _CONSTANTS[code], at
    if number := _NUMBERS.get(code):
        shape, kind = number
        return kind(struct.unpack_from(shape, data, at)[0]), at + struct.calcsize(shape)
    if variable := _VARIABLE.get(code):
        shape, read = variable
        begin = at + struct.calcsize(shape)
        end = begin + int(struct.unpack_from(shape, data, at)[0])
        return read(data[begin:end]), end
    return _decode_compound(code, data, at)


def _decode_compound(code: int, data: bytes, at: int) -> tuple[Any, int]:
    if code == 0x45:
        return [], at
    if code == 0x98:
        return UUID(bytes=data[at : at + 16]), at + 16
    if shape := _LISTS.get(code):
        return _items(shape, data, at)
    if shape := _MAPS.get(code):
        items, end = _items(shape, data, at)
        return dict(zip(items[::2], items[1::2], strict=True)), end
    if shape := _ARRAYS.get(code):
        return _array(shape, data, at)
    raise ValueError(f"no AMQP constructor: {code:#x}")


def _items(shape: str, data: bytes, at: int) -> tuple[list[Any], int]:
    count: int = struct.unpack_from(shape, data, at)[1]
    at += struct.calcsize(shape)
    items: list[Any] = []
    for _ in range(count):
        item, at = decode(data, at)
        items.append(item)
    return items, at


def _array(shape: str, data: bytes, at: int) -> tuple[Strings, int]:
    count: int = struct.unpack_from(shape, data, at)[1]
    at += struct.calcsize(shape)
    code, at = data[at], at + 1
    items = Strings()
    for _ in range(count):
        item, at = _decode_as(code, data, at)
        items.append(item)
    return items, at

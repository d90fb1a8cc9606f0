"""The types of AMQP 1.0 that Python's own do not tell apart."""

from __future__ import annotations

from typing import Any, NamedTuple


class Symbol(str):
    """A name of the protocol's."""

    __slots__ = ()


class UByte(int):
    """8 bits."""


class UShort(int):
    """16 bits."""


class UInt(int):
    """32 bits."""


class ULong(int):
    """64 bits."""


class Int(int):
    """32 bits, signed; a plain `int` is a long of 64."""


class Timestamp(int):
    """Milliseconds since 1970."""


class Strings(list[str]):
    """An array of strings, or of symbols."""


class Described(NamedTuple):
    """A value with what it stands for.

    Args:
        code: The descriptor.
        value: What is described.
    """

    code: int | str
    value: Any

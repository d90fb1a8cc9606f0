"""Reads what is sound in an answer that holds something odd.

The usual answer is decoded straight into a struct. One with a member of an odd type is read again,
member by member: the odd one is as good as null, and does not hide the counts beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from types import NoneType
from typing import Any, Final, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def _decimal(digits: str) -> Decimal | None:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond every use
        return None


_members_decoder: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_decimal)


class SalvagingDecoder(Generic[_Struct]):
    """Decodes JSON objects into `kind`, whose members must all be of the form `… | None`."""

    def __init__(self, kind: type[_Struct]) -> None:
        self._kind = kind
        self._decode = msgspec.json.Decoder(kind).decode

    def read(self, data: bytes) -> _Struct | None:
        """What `data` holds; None for what is no JSON object."""
        try:
            return self._decode(data)
        except _UNREADABLE:
            pass
        try:
            return _salvaged(_members_decoder.decode(data), self._kind)
        except _UNREADABLE:
            return None


def _salvaged(members: Mapping[str, Any], kind: type[_Struct]) -> _Struct:
    wanted = _types(kind)
    found = {name: members[name] for name in wanted if name in members}
    return kind(**{name: _sound(value, wanted[name]) for name, value in found.items()})


def _sound(value: object, kind: Any) -> object:
    """`value` as `kind`, as far as it is that; None if it is not."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        pass
    named = next(each for each in get_args(kind) if each is not NoneType)
    if isinstance(value, list) and get_origin(named) is list:
        (item_kind,) = get_args(named)
        return [
            _salvaged(cast("dict[str, Any]", item), item_kind)
            for item in cast("list[object]", value)
            if isinstance(item, dict)
        ]
    if isinstance(value, dict) and isinstance(named, type) and issubclass(named, msgspec.Struct):
        return _salvaged(cast("dict[str, Any]", value), named)
    return None


@cache
def _types(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind)

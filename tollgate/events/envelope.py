"""What a publisher looks at in an event: that it is a CloudEvent, and whose usage it is."""

from __future__ import annotations

from typing import Final

import msgspec


class _Data(msgspec.Struct):
    tenant: str


class _Envelope(msgspec.Struct):
    """What every CloudEvent has."""

    specversion: str
    id: str
    source: str
    type: str
    data: msgspec.Raw = msgspec.Raw()


_envelope: Final = msgspec.json.Decoder(_Envelope)
_data: Final = msgspec.json.Decoder(_Data)
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def is_cloud_event(event: bytes) -> bool:
    """Whether a broker would take it for one; some refuse a whole batch for one that is not."""
    try:
        _envelope.decode(event)
    except _UNREADABLE:
        return False
    return True


def tenant_of(event: bytes) -> str | None:
    """The tenant of a CloudEvent; None where its data names none."""
    try:
        return _data.decode(_envelope.decode(event).data).tenant
    except _UNREADABLE:
        return None

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


# As `encode_event` writes them; a line that was cut off has not both.
_BEGINNING: Final = b'{"id":"'
_END: Final = b',"datacontenttype":"application/json"}'
_envelope: Final = msgspec.json.Decoder(_Envelope)
_data: Final = msgspec.json.Decoder(_Data)
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def is_cloud_event(event: bytes) -> bool:
    """Whether a broker would take it for one; some refuse a whole batch for one that is not.

    What begins and ends as the events of this gateway do is not looked at further.
    """
    if event.startswith(_BEGINNING) and event.endswith(_END):
        return True
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

"""Event Grid's own event schema, read as CloudEvents.

A topic with the CloudEvents schema delivers CloudEvents; one with Event Grid's schema, made by
others, delivers events that hold the same under other names.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tollgate.events.payloads import split_payload

_NO_TOPIC: Final = "/event-grid"


class _EventGridEvent(msgspec.Struct, rename="camel"):
    id: str
    subject: str
    event_type: str
    event_time: str
    data: msgspec.Raw
    topic: str | None = None
    specversion: Any = None


class _CloudEvent(msgspec.Struct):
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    data: msgspec.Raw


_decoder: Final = msgspec.json.Decoder(_EventGridEvent)
_encoder: Final = msgspec.json.Encoder()


def cloud_events(payload: bytes) -> list[bytes]:
    """The events of a delivery, single or batched, of either schema, as CloudEvents in JSON.

    What is neither comes back as it is: it is for the intake to refuse, with the reason.
    """
    return [_as_cloud_event(event) for event in split_payload(payload)]


def _as_cloud_event(event: bytes) -> bytes:
    try:
        found = _decoder.decode(event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return event
    if found.specversion is not None:
        return event
    return _encoder.encode(
        _CloudEvent(
            specversion="1.0",
            id=found.id,
            source=found.topic or _NO_TOPIC,
            type=found.event_type,
            subject=found.subject,
            time=found.event_time,
            data=found.data,
        )
    )

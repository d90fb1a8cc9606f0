"""Reads the blobs in which Event Grid keeps the events that it could not deliver.

A blob is a JSON array of events, of either schema, with members that say why each is there: in
lower case as CloudEvents extensions, in camel case in Event Grid's own schema.
Source: learn.microsoft.com/azure/event-grid/manage-event-delivery.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tollgate.events.dead_letters import DeadLetter

SOURCE: Final = "event-grid-dead-letter"
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES: Final = ("lastdeliveryattempttime", "publishtime", "time", "eventtime")
# Event Grid's schema -> CloudEvents
_ATTRIBUTES: Final = {"eventType": "type", "topic": "source", "eventTime": "time"}
_SHARED: Final = ("id", "subject", "data")


def letters_of(blob: bytes) -> list[DeadLetter]:
    """The dead letters of a blob; what is no event of either schema is one with its bytes."""
    try:
        events = msgspec.json.decode(blob, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [_letter(blob, {}, "the blob is no JSON array of events")]
    return [_letter_of(bytes(event)) for event in events]


def _letter_of(raw: bytes) -> DeadLetter:
    try:
        event = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _letter(raw, {}, "it is no JSON object")
    about = {name.lower(): value for name, value in event.items() if name != "data"}
    reason = (
        f"Event Grid gave it up: {about.get('deadletterreason', 'no reason given')},"
        f" after {about.get('deliveryattempts', 'unknown')} attempts,"
        f" the last one {about.get('lastdeliveryoutcome', 'unknown')}"
    )
    if "specversion" in event:
        return _letter(raw, about, reason)
    return _letter(msgspec.json.encode(_cloud_event(event)), about, reason)


def _cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    renamed = {name: event.get(theirs) for theirs, name in _ATTRIBUTES.items()}
    return {"specversion": "1.0", **renamed, **{name: event.get(name) for name in _SHARED}}


def _letter(body: bytes, about: dict[str, Any], reason: str) -> DeadLetter:
    times = (_time(about.get(name)) for name in _TIMES)
    received = next((time for time in times if time is not None), _NO_TIME)
    return DeadLetter(reason=reason, source=SOURCE, received=received, body=body)


def _time(value: object) -> datetime | None:
    try:
        time = msgspec.convert(value, datetime)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        return None

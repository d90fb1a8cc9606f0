"""Usage events from an Event Grid subscription, one an invocation."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

import azure.functions as func

from tollgate.composition import utc_now
from tollgate.functions.runtime import shared

blueprint: Final = func.Blueprint()


@blueprint.function_name("usage_event_grid")
@blueprint.event_grid_trigger("event")  # pyright: ignore[reportUnknownMemberType]  untyped **kwargs there
async def usage_event_grid(event: func.EventGridEvent) -> None:
    """Count one event.

    What cannot be read is kept as a dead letter. When Redis does not answer this raises, and Event
    Grid delivers the event again.
    """
    runtime = await shared.intake()
    await runtime.intake.take([as_cloud_event(event)], source="event-grid", now=utc_now())


def as_cloud_event(event: func.EventGridEvent | func.CloudEvent) -> bytes:
    """The event as CloudEvents JSON; the worker picks the class by the body, not the annotation."""
    if isinstance(event, func.CloudEvent):
        members: dict[str, Any] = {
            **event.extension_attrs,  # also what the library does not decode, as data_base64
            "specversion": event.specversion,
            "type": event.type,
            "source": event.source,
            "time": _rfc3339(event.time),
        }
    else:
        members = {
            "specversion": "1.0",
            "type": event.event_type,
            "source": event.topic,
            "time": _rfc3339(event.event_time),
        }
    data: Any = event.get_json()
    members |= {"id": event.id, "subject": event.subject, "data": data}
    return json.dumps(members, ensure_ascii=False).encode()


def _rfc3339(time: datetime | None) -> str | None:
    return time.isoformat() if time else None

"""Builds what tests speak of; each takes only what the test cares about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from tollgate.usage.event import UsageData, UsageEvent, encode_event, usage_event
from tollgate.usage.tokens import Tokens

NOON = datetime(2026, 10, 15, 12, 0, tzinfo=UTC)


def usage_data(**changes: Any) -> UsageData:
    """A measured chat completion of contoso's CC-1001."""
    data = UsageData(
        gateway="gw-weu",
        tenant="contoso",
        billing_code="CC-1001",
        user="alice",
        api="chat.completions",
        deployment="gpt-4o-mini",
        model="gpt-4o-mini",
        model_version="2024-07-18",
        deployment_type="standard",
        scope="regional",
        service_tier="default",
        backend="weu-1",
        region="westeurope",
        status=200,
        provenance="measured",
        tokens=Tokens(input=1000, cached_input=640, output=120, reasoning_output=90),
    )
    return msgspec.structs.replace(data, **changes)


def event(event_id: str = "req-1", time: datetime = NOON, **changes: Any) -> UsageEvent:
    """An event around `usage_data`."""
    return usage_event(event_id, time, usage_data(**changes))


def raw_event(event_id: str = "req-1", time: datetime = NOON, **changes: Any) -> bytes:
    """The same event as it travels."""
    return encode_event(event(event_id, time, **changes))


def event_grid_event(cloud_event: bytes) -> bytes:
    """A CloudEvent as a topic with Event Grid's own schema delivers it."""
    event: dict[str, Any] = msgspec.json.decode(cloud_event)
    return msgspec.json.encode(
        {
            "id": event["id"],
            "topic": "/subscriptions/1/resourceGroups/1/providers/Microsoft.EventGrid/topics/1",
            "subject": event["subject"],
            "eventType": event["type"],
            "eventTime": event["time"].replace("Z", "9999Z"),
            "dataVersion": "1",
            "metadataVersion": "1",
            "data": event["data"],
        }
    )

"""Event Hubs Capture files, as tests speak of them: in Capture's own schema and naming."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import fastavro
from builders import NOON

EVENT_DATA = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {
            "name": "SystemProperties",
            "type": {"type": "map", "values": ["long", "double", "string", "bytes"]},
        },
        {
            "name": "Properties",
            "type": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]},
        },
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}


def capture_bytes(
    bodies: Sequence[bytes | None], first: int = 0, *, codec: str = "deflate", block: int = 16_000
) -> bytes:
    """A Capture file of these bodies, numbered from `first`; a block takes about `block` bytes."""
    records = [
        {
            "SequenceNumber": number,
            "Offset": str(number * 1000),
            "EnqueuedTimeUtc": "10/15/2026 12:00:00 PM",
            "SystemProperties": {"x-opt-partition-key": "contoso"},
            "Properties": {"content-type": "application/cloudevents+json", "none": None},
            "Body": body,
        }
        for number, body in enumerate(bodies, start=first)
    ]
    file = io.BytesIO()
    cast("Any", fastavro).writer(file, EVENT_DATA, records, codec=codec, sync_interval=block)
    return file.getvalue()


def write_capture(
    folder: Path,
    bodies: Sequence[bytes | None],
    minutes: int = 0,
    *,
    partition: int = 0,
    first: int = 0,
) -> Path:
    """Write the file of the window that began so many minutes after noon, and return its path."""
    time: datetime = NOON + timedelta(minutes=minutes)
    path = folder / "ns-weu/usage" / str(partition) / time.strftime("%Y/%m/%d/%H/%M/%S.avro")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(capture_bytes(bodies, first))
    return path

"""Batches of a hub as the Functions worker hands them to the trigger."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from azure.functions import meta  # noqa: TID251  decodes as the worker does
from azure.functions.eventhub import EventHubTriggerConverter  # noqa: TID251  same


def decoded(datum: meta.Datum, count: int) -> Any:
    """A batch of `count` events in what the host sends."""
    properties = [
        {
            "SequenceNumber": number,
            "Offset": str(number),
            "PartitionKey": "contoso",
            "EnqueuedTimeUtc": "2026-10-15T12:00:00Z",
        }
        for number in range(count)
    ]
    metadata = {
        "PartitionContext": meta.Datum('{"PartitionId": "0"}', "json"),
        "SequenceNumberArray": meta.Datum(json.dumps([*range(count)]), "json"),
        "SystemPropertiesArray": meta.Datum(json.dumps(properties), "json"),
    }
    return EventHubTriggerConverter.decode(datum, trigger_metadata=metadata)


def delivered(*bodies: bytes) -> Any:
    """A batch of these bodies, as the host sends it for a binary trigger."""
    return decoded(meta.Datum(SimpleNamespace(bytes=[*bodies]), "collection_bytes"), len(bodies))

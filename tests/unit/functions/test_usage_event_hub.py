from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from azure.functions import meta
from azure.functions.eventhub import EventHubTriggerConverter
from builders import raw_event
from counts import requests_counted

from tollgate.errors import StoreUnavailable
from tollgate.functions.usage_event_hub import usage_event_hub
from tollgate.intake_runtime import IntakeRuntime
from tollgate.settings import read_environment

pytest_plugins = ["servers"]


def delivered(*bodies: bytes) -> Any:
    """A batch as the worker hands it over."""
    properties = [
        {"SequenceNumber": number, "Offset": str(number)} for number in range(len(bodies))
    ]
    metadata = {
        "PartitionContext": meta.Datum('{"PartitionId": "0"}', "json"),
        "SequenceNumberArray": meta.Datum(json.dumps([*range(len(bodies))]), "json"),
        "SystemPropertiesArray": meta.Datum(json.dumps(properties), "json"),
    }
    data = meta.Datum(SimpleNamespace(bytes=[*bodies]), "collection_bytes")
    return EventHubTriggerConverter.decode(data, trigger_metadata=metadata)


async def _letters() -> list[bytes]:
    async with IntakeRuntime(read_environment()) as runtime:
        return [letter.body for letter in await runtime.dead_letters.all()]


@pytest.mark.usefixtures("redis_url")
async def test_a_bad_event_does_not_hold_its_neighbours_up() -> None:
    await usage_event_hub(delivered(raw_event("req-1"), b"\xff rubbish", raw_event("req-2")))
    assert await _letters() == [b"\xff rubbish"]


async def test_a_batch_that_comes_twice_is_counted_once(redis_url: str) -> None:
    batch = [raw_event(f"req-{number}") for number in range(5)]
    await usage_event_hub(delivered(*batch[:3]))
    await usage_event_hub(delivered(*batch, b"[" + b",".join(batch) + b"]"))
    assert requests_counted(redis_url) == 5


@pytest.mark.usefixtures("opened")
async def test_a_redis_that_is_away_is_raised_for_the_retry_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOLLGATE_REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(StoreUnavailable):
        await usage_event_hub(delivered(raw_event("req-1")))

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest
from azure.functions import meta
from azure.functions.eventgrid import EventGridEventInConverter
from builders import event_grid_event, raw_event
from counts import requests_counted

from tollgate.errors import SettingsError, StoreUnavailable
from tollgate.events.dead_letters import DeadLetter
from tollgate.functions.usage_event_grid import as_cloud_event, usage_event_grid
from tollgate.intake_runtime import IntakeRuntime
from tollgate.settings import read_environment
from tollgate.usage.event import decode_event

pytest_plugins = ["servers"]


def delivered(body: dict[str, Any]) -> Any:
    """An event as the worker hands it over."""
    converter: Any = EventGridEventInConverter  # untyped in parts
    return converter.decode(meta.Datum(json.dumps(body), "json"), trigger_metadata={})


CLOUD_EVENT = json.loads(raw_event("req-1", user="Zoë 雪"))
EVENT_GRID_EVENT = json.loads(event_grid_event(raw_event("req-1", user="Zoë 雪")))


@pytest.mark.parametrize("body", [CLOUD_EVENT, EVENT_GRID_EVENT])
def test_both_schemas_are_the_same_event(body: dict[str, Any]) -> None:
    sent, arrived = (
        decode_event(raw_event("req-1", user="Zoë 雪")),
        decode_event(as_cloud_event(delivered(body))),
    )
    assert (arrived.key, arrived.body) == (sent.key, sent.body)
    assert arrived.event.time == sent.event.time


def test_the_worker_picks_the_class_by_the_body() -> None:
    assert isinstance(delivered(CLOUD_EVENT), func.CloudEvent)
    assert isinstance(delivered(EVENT_GRID_EVENT), func.EventGridEvent)


async def _letters() -> list[DeadLetter]:
    async with IntakeRuntime(read_environment()) as runtime:
        return await runtime.dead_letters.all()


async def test_an_event_is_counted_once_however_often_it_is_delivered(redis_url: str) -> None:
    for body in (CLOUD_EVENT, CLOUD_EVENT, EVENT_GRID_EVENT):
        await usage_event_grid(delivered(body))
    assert requests_counted(redis_url) == 1
    assert await _letters() == []


@pytest.mark.usefixtures("redis_url")
async def test_what_cannot_be_read_is_kept_and_not_delivered_again() -> None:
    await usage_event_grid(delivered({**CLOUD_EVENT, "type": "something.else"}))
    await usage_event_grid(delivered({**CLOUD_EVENT, "time": None}))
    await usage_event_grid(delivered({**CLOUD_EVENT, "data": None}))
    assert len(await _letters()) == 3


@pytest.mark.usefixtures("redis_url")
async def test_what_the_library_does_not_read_is_in_the_dead_letter() -> None:
    members = {name: value for name, value in CLOUD_EVENT.items() if name != "data"}
    await usage_event_grid(delivered({**members, "data_base64": "bm8gSlNPTg=="}))
    (letter,) = await _letters()
    assert b"bm8gSlNPTg==" in letter.body


@pytest.mark.usefixtures("opened")
async def test_a_redis_that_is_not_named_or_not_there_has_the_event_delivered_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TOLLGATE_REDIS_URL", raising=False)
    with pytest.raises(SettingsError, match="TOLLGATE_REDIS_URL is not set"):
        await usage_event_grid(delivered(CLOUD_EVENT))
    monkeypatch.setenv("TOLLGATE_REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(StoreUnavailable):
        await usage_event_grid(delivered(CLOUD_EVENT))

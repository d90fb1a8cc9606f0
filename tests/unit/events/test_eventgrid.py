from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from azure.core.credentials import AzureKeyCredential
from azure.eventgrid.aio import EventGridPublisherClient
from builders import raw_event
from topics import PATH, TOPIC_KEY, Topic

from tollgate.errors import PublishFailed
from tollgate.events.eventgrid import EventGridPublisher
from tollgate.local.servers import serving
from tollgate.usage.event import decode_event


@asynccontextmanager
async def publishing(url: str, **options: Any) -> AsyncGenerator[EventGridPublisher]:
    publisher = EventGridPublisher(
        lambda hook: EventGridPublisherClient(
            f"{url}{PATH}",
            AzureKeyCredential(TOPIC_KEY),
            retry_backoff_factor=0,
            raw_request_hook=hook,
            **options,
        )
    )
    yield publisher
    await publisher.close()


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
async def publisher(topic: Topic) -> AsyncGenerator[EventGridPublisher]:
    async with serving(topic.app) as url, publishing(url, retry_total=2) as opened:
        yield opened


async def test_a_batch_is_one_request_as_event_grid_wants_it(
    topic: Topic, publisher: EventGridPublisher
) -> None:
    assert await publisher.publish([raw_event("req-1"), raw_event("req-2")]) == []
    (request,) = topic.requests
    assert request.headers["aeg-sas-key"] == TOPIC_KEY
    assert request.headers["content-type"].startswith("application/cloudevents-batch+json")
    assert request.query["api-version"] == "2018-01-01"
    assert [event["id"] for event in topic.batches[0]] == ["req-1", "req-2"]


async def test_one_event_is_a_batch_too(topic: Topic, publisher: EventGridPublisher) -> None:
    await publisher.publish([raw_event("req-1")])
    assert len(topic.batches[0]) == 1


@pytest.mark.parametrize("millisecond", [0, 7, 120, 999])
async def test_the_event_that_arrives_has_the_same_key_and_body(
    topic: Topic, publisher: EventGridPublisher, millisecond: int
) -> None:
    time = datetime(2026, 10, 31, 23, 59, 59, millisecond * 1000, tzinfo=UTC)
    sent = decode_event(raw_event("req-1", time, user="Zoë 雪", units={"web_search_calls": 3}))
    await publisher.publish([sent.raw])
    arrived = decode_event(msgspec.json.encode(topic.batches[0][0]))
    assert arrived.event == sent.event
    assert (arrived.key, arrived.body) == (sent.key, sent.body)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_passing_failure_is_tried_again_by_the_sdk(
    topic: Topic, publisher: EventGridPublisher, status: int
) -> None:
    topic.answers = [status, status]
    assert await publisher.publish([raw_event("req-1")]) == []
    assert len(topic.requests) == 3
    assert len(topic.batches) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503])
async def test_a_failure_that_lasts_is_told_with_its_status(
    topic: Topic, publisher: EventGridPublisher, status: int
) -> None:
    topic.answers = [status] * 9
    told = "ResourceNotFoundError" if status == 404 else status
    with pytest.raises(PublishFailed, match=f"Event Grid answered {told}"):
        await publisher.publish([raw_event("req-1")])


async def test_a_topic_that_cannot_be_reached_is_told() -> None:
    async with publishing("http://127.0.0.1:1", retry_total=0) as publisher:
        with pytest.raises(PublishFailed, match="ServiceRequestError"):
            await publisher.publish([raw_event("req-1")])


@pytest.mark.parametrize("status", [400, 413])
async def test_what_the_topic_refuses_is_given_back_and_its_neighbours_go_out(
    topic: Topic, publisher: EventGridPublisher, status: int
) -> None:
    topic.refuses = lambda events: status * any(event["id"] == "req-5" for event in events)
    events = [raw_event(f"req-{number}") for number in range(9)]
    assert await publisher.publish(events) == [raw_event("req-5")]
    taken = [event["id"] for event in topic.events]
    assert sorted(taken) == [f"req-{number}" for number in range(9) if number != 5]


async def test_a_topic_that_refuses_everything_is_at_fault_itself_and_the_events_wait(
    topic: Topic, publisher: EventGridPublisher
) -> None:
    assert await publisher.publish([raw_event("req-0")]) == []
    topic.refuses = lambda _: 400
    with pytest.raises(PublishFailed, match="answers 400 to every event"):
        await publisher.publish([raw_event("req-1"), raw_event("req-2")])


async def test_a_single_event_is_only_refused_by_a_topic_that_has_taken_another_one(
    topic: Topic, publisher: EventGridPublisher
) -> None:
    topic.refuses = lambda events: 400 * (events[0]["id"] == "req-1")
    with pytest.raises(PublishFailed, match="answers 400 to every event"):
        await publisher.publish([raw_event("req-1")])
    assert await publisher.publish([raw_event("req-2")]) == []
    assert await publisher.publish([raw_event("req-1")]) == [raw_event("req-1")]


async def test_a_single_event_that_is_too_large_is_refused_at_once(
    topic: Topic, publisher: EventGridPublisher
) -> None:
    topic.refuses = lambda _: 413
    assert await publisher.publish([raw_event("req-1")]) == [raw_event("req-1")]


async def test_a_batch_that_is_too_large_goes_in_parts(
    topic: Topic, publisher: EventGridPublisher
) -> None:
    topic.refuses = lambda events: 413 * (len(events) > 2)
    assert await publisher.publish([raw_event(f"req-{number}") for number in range(5)]) == []
    assert [len(batch) for batch in topic.batches] == [2, 1, 2]


async def test_a_line_that_is_no_cloud_event_is_refused_here(
    topic: Topic, publisher: EventGridPublisher
) -> None:
    spoilt = [b"rubbish", b"[]", b'{"id": "1"}', b"\xff"]
    assert await publisher.publish([*spoilt, raw_event("req-1")]) == spoilt
    assert [event["id"] for event in topic.batches[0]] == ["req-1"]
    assert await publisher.publish(spoilt) == spoilt
    assert len(topic.requests) == 1

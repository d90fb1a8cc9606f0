from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web
from azure.core.credentials import AzureKeyCredential
from azure.eventgrid.aio import EventGridPublisherClient
from builders import raw_event

from tollgate.errors import PublishFailed
from tollgate.events.eventgrid import EventGridPublisher
from tollgate.local.event_grid import RETRY_SCHEDULE_S, LocalTopic
from tollgate.local.servers import serving

KEY = "local-key"
PATIENCE_S = 10


class Webhook:
    """Answers as told, then 202; keeps what it was sent."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.app = web.Application()
        self.app.router.add_post("/hook", self._deliver)

    @property
    def ids(self) -> list[str]:
        return [msgspec.json.decode(body)["id"] for _, body in self.requests]

    async def _deliver(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 202)


@asynccontextmanager
async def running(
    hook_url: str, folder: Path, schedule_s: tuple[float, ...] = (0.001,)
) -> AsyncGenerator[tuple[LocalTopic, str]]:
    topic = LocalTopic(KEY, hook_url, folder, schedule_s)
    async with serving(topic.app) as url:
        yield topic, f"{url}/api/events"


async def publish(url: str, *events: bytes) -> None:
    publisher = EventGridPublisher(
        lambda hook: EventGridPublisherClient(url, AzureKeyCredential(KEY), raw_request_hook=hook)
    )
    assert await publisher.publish(events) == []
    await publisher.close()


def _left(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name != "guard"]


async def delivered(topic: LocalTopic) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while topic.undelivered:  # noqa: ASYNC110  it has no event to wait for
            await asyncio.sleep(0.001)


async def test_each_event_of_a_batch_is_delivered_alone_as_event_grid_does(tmp_path: Path) -> None:
    hook = Webhook()
    async with serving(hook.app) as url, running(f"{url}/hook", tmp_path) as (topic, endpoint):
        await publish(endpoint, raw_event("req-1"), raw_event("req-2"))
        await delivered(topic)
    assert sorted(hook.ids) == ["req-1", "req-2"]
    headers, _ = hook.requests[0]
    assert headers["aeg-event-type"] == "Notification"
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert _left(tmp_path) == []


@pytest.mark.parametrize("status", [500, 503, 404, 200 + 5])
async def test_a_failed_delivery_is_tried_again(tmp_path: Path, status: int) -> None:
    hook = Webhook(status, status, status)
    async with serving(hook.app) as url, running(f"{url}/hook", tmp_path) as (topic, endpoint):
        await publish(endpoint, raw_event("req-1"))
        await delivered(topic)
    assert hook.ids == ["req-1"] * 4
    counts = [headers["aeg-delivery-count"] for headers, _ in hook.requests]
    assert counts == ["0", "1", "2", "3"]


async def test_deliveries_wait_as_the_schedule_says_and_its_last_is_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hook = Webhook(500, 500, 500)
    schedule_s = (0.001, 0.002)
    async with (
        serving(hook.app) as url,
        running(f"{url}/hook", tmp_path, schedule_s) as (topic, endpoint),
    ):
        await publish(endpoint, raw_event("req-1"))
        await delivered(topic)
    waits = [record.getMessage()[-7:] for record in caplog.records]
    assert waits == ["0.001 s", "0.002 s", "0.002 s"]
    assert sorted(RETRY_SCHEDULE_S) == list(RETRY_SCHEDULE_S)


async def test_what_was_accepted_is_delivered_after_a_restart(tmp_path: Path) -> None:
    async with running("http://127.0.0.1:1/hook", tmp_path, (60,)) as (topic, endpoint):
        await publish(endpoint, raw_event("req-1"), raw_event("req-2"))
        assert topic.undelivered == 2
    hook = Webhook()
    async with serving(hook.app) as url, running(f"{url}/hook", tmp_path) as (topic, _):
        await delivered(topic)
    assert sorted(hook.ids) == ["req-1", "req-2"]
    assert _left(tmp_path) == []


async def _answer(folder: Path, key: str, body: bytes) -> int:
    async with (
        running("http://127.0.0.1:1/hook", folder) as (topic, endpoint),
        aiohttp.ClientSession(headers={"aeg-sas-key": key}) as session,
        session.post(endpoint, data=io.BytesIO(body)) as response,
    ):
        assert topic.undelivered == 0
        return response.status


@pytest.mark.parametrize("key", ["", "wrong", "schlüssel"])
async def test_a_wrong_key_is_401(tmp_path: Path, key: str) -> None:
    assert await _answer(tmp_path, key, b"[]") == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"rubbish", b"{}", b"[3]", b'[{"specversion": "1.0", "id": "1"}]', b'[{"id": "1"}]'],
)
async def test_what_is_no_batch_of_cloud_events_is_400(tmp_path: Path, body: bytes) -> None:
    assert await _answer(tmp_path, KEY, body) == 400


async def test_a_batch_of_more_than_a_megabyte_is_413(tmp_path: Path) -> None:
    assert await _answer(tmp_path, KEY, b" " * 1_100_000) == 413


async def test_a_topic_that_is_gone_fails_the_publisher_not_the_event(tmp_path: Path) -> None:
    async with running("http://127.0.0.1:1/hook", tmp_path) as (_, endpoint):
        pass
    publisher = EventGridPublisher(
        lambda hook: EventGridPublisherClient(
            endpoint, AzureKeyCredential(KEY), retry_total=0, raw_request_hook=hook
        )
    )
    with pytest.raises(PublishFailed):
        await publisher.publish([raw_event("req-1")])
    await publisher.close()

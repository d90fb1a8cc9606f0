"""The webhook as Event Grid calls it, on the worker's web server, with a real Redis behind it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from azurefunctions.extensions.http.fastapi import Request
from builders import event_grid_event, raw_event
from counts import requests_counted
from starlette.requests import ClientDisconnect

from tollgate.functions import usage_webhook as module
from tollgate.intake_runtime import IntakeRuntime
from tollgate.settings import read_environment

pytest_plugins = ["servers"]

KEY = "b3f1e0a2c4d5"
PATH = "/usage-events"
HOOK = f"{PATH}?key={KEY}"
NOTIFICATION = {
    "aeg-event-type": "Notification",
    "content-type": "application/cloudevents+json; charset=utf-8",
}
ASKS = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLGATE_WEBHOOK_KEY", f"other,{KEY}")


async def delivered(http: aiohttp.ClientSession, body: bytes, path: str = HOOK) -> int:
    async with http.post(path, data=body, headers=NOTIFICATION) as response:
        return response.status


async def _letters() -> list[bytes]:
    async with IntakeRuntime(read_environment()) as runtime:
        return [letter.body for letter in await runtime.dead_letters.all()]


async def test_an_event_is_counted_once_single_or_batched_in_either_schema(
    http: aiohttp.ClientSession, redis_url: str
) -> None:
    first, second = raw_event("req-1"), raw_event("req-2")
    for body in (
        first,
        b"[" + first + b"," + second + b"]",
        b"[" + event_grid_event(second) + b"]",
        event_grid_event(raw_event("req-3")),
    ):
        assert await delivered(http, body) == 200
    assert requests_counted(redis_url) == 3
    assert await _letters() == []


@pytest.mark.parametrize("bad", [b"", b"rubbish", b'{"specversion": "2.0"}', b"[" * 100_000])
async def test_a_bad_event_is_kept_and_never_delivered_again(
    http: aiohttp.ClientSession, redis_url: str, bad: bytes
) -> None:
    assert await delivered(http, bad) == 200
    assert await _letters() == [bad]
    assert requests_counted(redis_url) == 0


async def test_a_bad_neighbour_does_not_hold_an_event_up(
    http: aiohttp.ClientSession, redis_url: str
) -> None:
    assert await delivered(http, b'[{"id": 3},' + raw_event("req-1") + b"]") == 200
    assert requests_counted(redis_url) == 1
    assert await _letters() == [b'{"id": 3}']


async def test_without_a_store_events_are_delivered_again(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOLLGATE_REDIS_URL", raising=False)
    assert await delivered(http, raw_event()) == 503


@pytest.mark.parametrize("path", [PATH, f"{PATH}?key=", f"{PATH}?key=wrong", f"{PATH}?code={KEY}"])
async def test_without_the_key_nothing_is_taken_and_event_grid_does_not_drop_it(
    http: aiohttp.ClientSession, redis_url: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await delivered(http, raw_event(), path) == 503
    async with http.options(path, headers=ASKS) as response:
        assert response.status == 401
        assert "WebHook-Allowed-Origin" not in response.headers
    assert requests_counted(redis_url) == 0
    assert "has not the key" in caplog.text


async def test_where_no_key_is_set_everything_is_refused(
    http: aiohttp.ClientSession,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("TOLLGATE_WEBHOOK_KEY")
    for path in (HOOK, PATH, f"{PATH}?key="):
        assert await delivered(http, raw_event(), path) == 503
    assert requests_counted(redis_url) == 0
    assert "TOLLGATE_WEBHOOK_KEY is not set" in caplog.text


async def test_both_handshakes_are_answered(http: aiohttp.ClientSession) -> None:
    async with http.options(HOOK, headers=ASKS) as response:
        assert response.status == 200
        assert response.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
        assert response.headers["WebHook-Allowed-Rate"] == "*"
    event = b'[{"data": {"validationCode": "abc"}}]'
    headers = {"aeg-event-type": "SubscriptionValidation"}
    async with http.post(HOOK, data=event, headers=headers) as response:
        assert response.status == 200
        assert await response.json() == {"validationResponse": "abc"}


async def test_a_body_that_event_grid_never_sends_is_not_read_to_its_end(
    http: aiohttp.ClientSession,
) -> None:
    async def endless() -> Any:
        with suppress(asyncio.CancelledError):
            while True:
                yield b" " * 65536

    async with http.post(HOOK, data=endless(), headers=NOTIFICATION) as response:
        assert response.status == 413


async def test_a_body_that_does_not_come_is_to_be_delivered_again(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BODY_S", 0.05)

    async def slow() -> Any:
        yield b"["
        await asyncio.sleep(1)

    async with http.post(HOOK, data=slow(), headers=NOTIFICATION) as response:
        assert response.status == 408


async def test_a_caller_that_leaves_meanwhile_is_no_bug() -> None:
    async def leaves() -> Any:
        raise ClientDisconnect

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": f"key={KEY}".encode(),
        "headers": [],
    }
    response = await module.usage_webhook(Request(scope, leaves))
    assert response.status_code == 408

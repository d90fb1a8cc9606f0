from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, cast

import aiohttp
import pytest
from builders import event_grid_event, raw_event

from tollgate.errors import StoreUnavailable
from tollgate.events.intake import Intake
from tollgate.local.servers import serving
from tollgate.local.triggers import FUNCTION_NAME, WEBHOOK_PATH, triggers_app
from tollgate.usage.event import decode_event

HOOK = f"{WEBHOOK_PATH}?functionName={FUNCTION_NAME}"
NOTIFICATION = {"aeg-event-type": "Notification"}


class FakeIntake:
    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.error: Exception | None = None

    async def take(self, raws: Sequence[bytes], *, source: str, now: datetime) -> Counter[str]:
        assert source == "event-grid"
        assert now.tzinfo is not None
        if self.error:
            raise self.error
        self.taken += raws
        return Counter()


@pytest.fixture
def intake() -> FakeIntake:
    return FakeIntake()


@pytest.fixture
async def http(intake: FakeIntake) -> AsyncGenerator[aiohttp.ClientSession]:
    async with (
        serving(triggers_app(cast("Intake", intake))) as url,
        aiohttp.ClientSession(url) as session,
    ):
        yield session


async def test_the_cloud_events_handshake_is_answered(http: aiohttp.ClientSession) -> None:
    headers = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}
    async with http.options(HOOK, headers=headers) as response:
        assert response.status == 200
        assert response.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
        assert response.headers["WebHook-Allowed-Rate"] == "*"


@pytest.mark.parametrize(
    ("body", "count"), [(raw_event(), 1), (b"[" + raw_event() + b"," + raw_event() + b"]", 2)]
)
async def test_events_are_taken_in(
    http: aiohttp.ClientSession, intake: FakeIntake, body: bytes, count: int
) -> None:
    async with http.post(HOOK, data=body, headers=NOTIFICATION) as response:
        assert response.status == 202
    assert intake.taken == [raw_event()] * count


async def test_an_event_of_event_grids_own_schema_is_taken_in_as_a_cloud_event(
    http: aiohttp.ClientSession, intake: FakeIntake
) -> None:
    sent = event_grid_event(raw_event())
    async with http.post(HOOK, data=b"[" + sent + b"]", headers=NOTIFICATION) as response:
        assert response.status == 202
    (taken,) = (decode_event(raw) for raw in intake.taken)
    assert taken.body == decode_event(raw_event()).body


async def test_event_grids_own_handshake_is_answered(http: aiohttp.ClientSession) -> None:
    event = b'[{"data":{"validationCode":"abc"}}]'
    headers = {"aeg-event-type": "SubscriptionValidation"}
    async with http.post(HOOK, data=event, headers=headers) as response:
        assert response.status == 200
        assert await response.json() == {"validationResponse": "abc"}


async def test_a_store_that_is_away_has_the_event_delivered_again(
    http: aiohttp.ClientSession, intake: FakeIntake, caplog: pytest.LogCaptureFixture
) -> None:
    intake.error = StoreUnavailable("Redis: it cannot be reached")
    async with http.post(HOOK, data=raw_event(), headers=NOTIFICATION) as response:
        assert response.status == 500
    assert "it cannot be reached" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"{WEBHOOK_PATH}?functionName=unheard_of", NOTIFICATION, 404),
        (WEBHOOK_PATH, NOTIFICATION, 404),
        (HOOK, {}, 400),
        (HOOK, {"aeg-event-type": "SubscriptionValidation"}, 400),
    ],
)
async def test_what_is_not_for_the_function_is_refused(
    http: aiohttp.ClientSession, intake: FakeIntake, path: str, headers: Any, status: int
) -> None:
    async with http.post(path, data=raw_event(), headers=headers) as response:
        assert response.status == status
    assert intake.taken == []

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import cast

import pytest
from builders import NOON, raw_event

from tollgate.errors import StoreUnavailable
from tollgate.events import webhook
from tollgate.events.intake import Intake
from tollgate.events.webhook import (
    Answer,
    about_subscription,
    is_key,
    permission,
    receive,
    validation,
)

ORIGIN = {"webhook-request-origin": "eventgrid.azure.net"}
VALIDATION = b"""[{"id": "1", "topic": "/t", "subject": "", "eventType":
"Microsoft.EventGrid.SubscriptionValidationEvent", "eventTime": "2026-10-15T12:00:00Z",
"data": {"validationCode": "512d38b6", "validationUrl": "https://rp.example:553/"},
"metadataVersion": "1", "dataVersion": "1"}]"""


class FakeIntake:
    """Takes events, or does as told."""

    def __init__(self, failure: Exception | None = None, wait_s: float = 0) -> None:
        self.failure = failure
        self.wait_s = wait_s
        self.taken: list[bytes] = []

    async def take(self, raws: Sequence[bytes], *, source: str, now: datetime) -> Counter[str]:
        assert (source, now) == ("event-grid", NOON)
        await asyncio.sleep(self.wait_s)
        if self.failure:
            raise self.failure
        self.taken += raws
        return Counter()

    async def receive(self, body: bytes) -> Answer:
        return await receive(body, cast("Intake", self), NOON)


async def test_events_are_answered_with_success_once_they_are_taken() -> None:
    intake = FakeIntake()
    batch = b"[" + raw_event("req-1") + b"," + raw_event("req-2") + b"]"
    assert (await intake.receive(batch)).status == 200
    assert intake.taken == [raw_event("req-1"), raw_event("req-2")]


async def test_what_is_no_event_is_the_intakes_to_keep_and_a_success() -> None:
    intake = FakeIntake()
    assert (await intake.receive(b"rubbish")).status == 200
    assert intake.taken == [b"rubbish"]


async def test_only_a_store_that_is_away_has_events_delivered_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    intake = FakeIntake(StoreUnavailable("Redis: it cannot be reached"))
    assert (await intake.receive(raw_event())).status == 503
    assert "it cannot be reached" in caplog.text


async def test_a_store_that_is_slow_is_not_waited_for_longer_than_event_grid_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhook, "_ANSWER_S", 0.01)
    assert (await FakeIntake(wait_s=10).receive(raw_event())).status == 503
    assert "did not take them in 0.01 s" in caplog.text


def test_event_grids_own_handshake_gets_its_code_back() -> None:
    answer = about_subscription("SubscriptionValidation", VALIDATION)
    assert answer is not None
    assert (answer.status, answer.body) == (200, b'{"validationResponse":"512d38b6"}')


def test_a_subscription_that_ends_is_taken_note_of() -> None:
    answer = about_subscription("SubscriptionDeletion", b"[{}]")
    assert answer is not None
    assert answer.status == 200


@pytest.mark.parametrize("event_type", ["Notification", ""])
def test_whatever_else_comes_is_a_delivery(event_type: str) -> None:
    assert about_subscription(event_type, VALIDATION) is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"[{}]", b'[{"data": {}}]', b"[" * 100_000])
def test_a_handshake_without_its_code_is_refused(body: bytes) -> None:
    assert validation(body).status == 400


def test_the_handshake_of_cloud_events_permits_who_asks() -> None:
    asked = {**ORIGIN, "webhook-request-rate": "120"}
    allowed = {"Allow": "POST", "WebHook-Allowed-Origin": "eventgrid.azure.net"}
    assert permission(asked) == Answer(200, {**allowed, "WebHook-Allowed-Rate": "*"})
    assert permission(ORIGIN) == Answer(200, allowed)
    assert permission({}).status == 400


def test_a_key_is_one_of_those_that_are_set() -> None:
    assert is_key("new", ["new", "old"])
    assert is_key("old", ["new", "old"])
    for wrong in ("", "ne", "new,old", "\udcff", "schlüssel"):
        assert not is_key(wrong, ["new", "old"])
    assert not is_key("", [])

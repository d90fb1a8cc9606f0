from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from builders import NOON, raw_event

from tollgate.events.event_grid_letters import SOURCE, letters_of
from tollgate.usage.event import decode_event

WHY = {
    "deadLetterReason": "MaxDeliveryAttemptsExceeded",
    "deliveryAttempts": 30,
    "lastDeliveryOutcome": "NotFound",
    "publishTime": "2026-10-15T12:00:01.1234567Z",
    "lastDeliveryAttemptTime": "2026-10-16T12:00:00Z",
}


def blob(*events: dict[str, Any]) -> bytes:
    return msgspec.json.encode(events)


def cloud_event(**changes: Any) -> dict[str, Any]:
    why = {name.lower(): value for name, value in WHY.items()}
    return {**msgspec.json.decode(raw_event()), **why, **changes}


def grid_event() -> dict[str, Any]:
    """The same event in Event Grid's own schema."""
    event = msgspec.json.decode(raw_event())
    names = {"eventType": "type", "topic": "source", "eventTime": "time"}
    same = ("id", "subject", "data")
    return {
        **{theirs: event[ours] for theirs, ours in names.items()},
        **{name: event[name] for name in same},
        **WHY,
        "dataVersion": "",
        "metadataVersion": "1",
    }


def test_a_cloud_event_is_kept_as_it_is_with_why_event_grid_gave_it_up() -> None:
    event = cloud_event()
    (letter,) = letters_of(blob(event))
    assert msgspec.json.decode(letter.body) == event
    assert letter.source == SOURCE
    assert letter.received == datetime(2026, 10, 16, 12, tzinfo=UTC)
    assert letter.reason == (
        "Event Grid gave it up: MaxDeliveryAttemptsExceeded, after 30 attempts, the last one"
        " NotFound"
    )


def test_both_schemas_are_the_event_that_was_published() -> None:
    published = decode_event(raw_event())
    for event in (cloud_event(), grid_event()):
        (letter,) = letters_of(blob(event))
        found = decode_event(letter.body)
        assert (found.key, found.body) == (published.key, published.body)
        assert "MaxDeliveryAttemptsExceeded" in letter.reason


def test_each_event_of_a_blob_is_a_letter_of_its_own() -> None:
    letters = letters_of(blob(cloud_event(id="req-1"), cloud_event(id="req-2")))
    assert len({letter.id for letter in letters}) == 2


def test_what_is_missing_is_said_to_be_unknown() -> None:
    (letter,) = letters_of(blob({"specversion": "1.0", "time": "2026-10-15T12:00:00"}))
    assert letter.received == NOON
    assert letter.reason == (
        "Event Grid gave it up: no reason given, after unknown attempts, the last one unknown"
    )
    (timeless,) = letters_of(blob({"time": 5}))
    assert timeless.received.year == 1970


def test_what_is_no_event_is_not_lost() -> None:
    (letter,) = letters_of(b"rubbish")
    assert (letter.body, letter.reason) == (b"rubbish", "the blob is no JSON array of events")
    (letter,) = letters_of(b"[1]")
    assert (letter.body, letter.reason) == (b"1", "it is no JSON object")


def test_a_time_that_is_none_in_utc_is_not_known() -> None:
    event = cloud_event(lastdeliveryattempttime="9999-12-31T23:59:59-14:00")
    (letter,) = letters_of(blob(event))
    assert letter.received.year == 2026

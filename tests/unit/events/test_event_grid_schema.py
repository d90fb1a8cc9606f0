from __future__ import annotations

import msgspec
import pytest
from builders import event_grid_event, raw_event

from tollgate.events.event_grid_schema import cloud_events
from tollgate.usage.event import decode_event

SENT = decode_event(raw_event("req-1", user="Zoë 雪"))


def test_an_event_of_the_other_schema_is_the_same_event() -> None:
    (arrived,) = (decode_event(event) for event in cloud_events(event_grid_event(SENT.raw)))
    assert (arrived.key, arrived.body) == (SENT.key, SENT.body)
    assert arrived.event.time == SENT.event.time


def test_a_cloud_event_keeps_its_bytes() -> None:
    assert cloud_events(b" " + SENT.raw) == [b" " + SENT.raw]


def test_a_batch_may_hold_any_of_them_and_what_is_neither() -> None:
    grid = event_grid_event(SENT.raw)
    events = cloud_events(b"[" + b",".join([SENT.raw, grid, b"3", b"{}"]) + b"]")
    assert events == [SENT.raw, *cloud_events(grid), b"3", b"{}"]


@pytest.mark.parametrize("payload", [b"", b"rubbish", b"\xff", b"[" * 100_000, b'{"id":' * 9999])
def test_what_is_no_json_comes_back_as_it_is(payload: bytes) -> None:
    assert cloud_events(payload) == [payload]


def test_a_topic_that_is_not_named_is_no_reason_to_refuse_usage() -> None:
    members = msgspec.json.decode(event_grid_event(SENT.raw))
    del members["topic"]
    (arrived,) = cloud_events(msgspec.json.encode(members))
    assert decode_event(arrived).key == SENT.key


def test_a_member_of_the_other_schema_does_not_turn_a_cloud_event_into_one() -> None:
    both = {**msgspec.json.decode(event_grid_event(SENT.raw)), "specversion": "1.0"}
    event = msgspec.json.encode(both)
    assert cloud_events(event) == [event]

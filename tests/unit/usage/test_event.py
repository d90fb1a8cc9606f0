from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from builders import NOON, event, raw_event

from tollgate.errors import InvalidEvent
from tollgate.usage.event import MAX_EVENT_BYTES, decode_event, encode_event
from tollgate.usage.tokens import NO_TOKENS, Tokens


def changed(path: str, value: Any) -> bytes:
    """A good event with one member set, at a dotted path."""
    members = msgspec.json.decode(raw_event())
    target = members
    *steps, last = path.split(".")
    for step in steps:
        target = target[step]
    target[last] = value
    return msgspec.json.encode(members)


def without(path: str) -> bytes:
    members = msgspec.json.decode(raw_event())
    holder = members["data"] if path.startswith("data.") else members
    del holder[path.removeprefix("data.")]
    return msgspec.json.encode(members)


def test_encoding_then_decoding_gives_the_same_event() -> None:
    assert decode_event(encode_event(event())).event == event()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "Input data was truncated"),
        (b"[]", "Expected `object`"),
        (b"nonsense", "JSON is malformed"),
        (b"[" * 100_000, "Expected `object`"),
        (b'{"a":' * 100_000, "recursion"),
        (b"\xff", "malformed"),
        (changed("type", "tollgate.usage.v2"), "tollgate.usage.v2"),
        (changed("specversion", "0.3"), "0.3"),
        (changed("time", "2026-10-15T12:00:00"), "timezone"),
        (changed("time", "yesterday"), "RFC3339"),
        (changed("time", "1999-12-31T23:59:59Z"), "outside the years 2000 to 9998"),
        (changed("time", "9999-01-01T00:00:00Z"), "outside the years"),
        (changed("data.user", "a\nb"), "control characters - at `$.data.user`"),
        (changed("data.tenant", ""), "length >= 1"),
        (changed("data.tenant", "x" * 257), "length <= 256"),
        (changed("data.tenant", None), "Expected `str`, got `null` - at `$.data.tenant`"),
        (changed("data.tokens", {"input": 1}), "missing required field `output`"),
        (changed("data.tokens.cached_input", 1001), "more than input"),
        (changed("data.provenance", "guessed"), "guessed"),
        (changed("data.units", {"Images": 1}), "units"),
        (changed("data.units", {"images": True}), "got `bool`"),
        (without("data.tokens"), "tokens"),
        (without("data.billing_code"), "billing_code"),
        (without("specversion"), "specversion"),
        (b" " * MAX_EVENT_BYTES + b"{}", "limit"),
    ],
)
def test_what_is_no_usage_event_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidEvent, match=r".") as refused:
        decode_event(raw)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"provenance": "pending"}, "must have tokens null"),
        ({"provenance": "unknown", "tokens": None, "units": {"images": 1}}, "must have tokens"),
        ({"tokens": None}, "must have tokens or units"),
        ({"provenance": "none"}, "must have tokens 0"),
        ({"provenance": "pending", "tokens": None, "completes": True}, "cannot be pending"),
    ],
)
def test_provenance_must_agree_with_the_counts(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        event(**changes)


def test_usage_by_units_alone_needs_no_tokens() -> None:
    assert event(tokens=None, units={"images:1024x1024:hd": 2}).data.tokens is None


def test_time_is_utc_cut_to_milliseconds() -> None:
    cet = timezone(timedelta(hours=1))
    received = decode_event(raw_event(time=datetime(2026, 11, 1, 0, 59, 59, 999_999, tzinfo=cet)))
    assert received.event.time == datetime(2026, 10, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    assert b'"time":"2026-10-31T23:59:59.999Z"' in encode_event(received.event)


@pytest.mark.parametrize("digits", ["9", "99", "999", "9999", "9999995", "9999999999"])
def test_a_fine_fraction_is_cut_and_never_carried_into_the_next_month(digits: str) -> None:
    received = decode_event(changed("time", f"2026-10-31T23:59:59.{digits}Z"))
    assert (received.event.time.month, received.event.time.second) == (10, 59)


def test_a_time_outside_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidEvent):
        decode_event(changed("time", "0001-01-01T00:00:00+23:00"))


def test_the_same_body_in_another_spelling_is_the_same_body() -> None:
    members = msgspec.json.decode(raw_event())
    backwards = dict(reversed(members.items())) | {"time": "2026-10-15T14:00:00.000+02:00"}
    backwards["data"] = dict(reversed(members["data"].items()))
    spelled = decode_event(msgspec.json.format(msgspec.json.encode(backwards)))
    assert spelled.body == decode_event(raw_event()).body


def data_without(member: str) -> dict[str, Any]:
    data = msgspec.json.decode(raw_event())["data"]
    return {name: value for name, value in data.items() if name != member}


@pytest.mark.parametrize(
    "data",
    [
        data_without("user"),
        data_without("units"),
        {**data_without("user"), "user": None},
        {**data_without("units"), "units": {"images": 1, "characters": 2}},
        {**data_without("saved"), "saved": {"input": 1, "output": 2, "cached_input": None}},
        {**data_without("tokens"), "tokens": {"output": 1, "input": 2, "cached_input": 0}},
    ],
)
def test_a_body_has_one_digest_whichever_way_it_is_decoded(data: dict[str, Any]) -> None:
    plain = changed("data", data)
    escaped = plain.replace(b"gw-weu", b"gw\\u002dweu")
    assert decode_event(escaped).body == decode_event(plain).body
    assert decode_event(escaped).event == decode_event(plain).event
    assert decode_event(plain).body != decode_event(raw_event()).body


@pytest.mark.parametrize("name", ["a\x7f", "a\x85", "a\u2028", "a\n", "", "x" * 257])
@pytest.mark.parametrize("member", ["id", "source", "data.tenant", "data.user", "data.model"])
def test_a_name_is_checked_whichever_way_it_is_decoded(member: str, name: str) -> None:
    for ascii_only in (True, False):
        raw = json.dumps(msgspec.json.decode(changed(member, name)), ensure_ascii=ascii_only)
        with pytest.raises(InvalidEvent):
            decode_event(raw.encode())


@pytest.mark.parametrize(
    "other",
    [
        changed("time", "2026-10-15T12:00:00.001Z"),
        changed("subject", "contoso"),
        changed("data.tokens.output", 121),
        changed("data.member_of_a_later_version", 1),
    ],
)
def test_another_body_has_another_digest(other: bytes) -> None:
    assert decode_event(other).body != decode_event(raw_event()).body


def test_cloudevents_attributes_beyond_the_contract_are_not_part_of_the_body() -> None:
    assert decode_event(changed("traceparent", "00-1")).body == decode_event(raw_event()).body


def test_the_key_is_the_gateway_and_the_id() -> None:
    first = decode_event(raw_event("a"))
    assert len(first.key) == 16
    assert first.key == decode_event(raw_event("a", tokens=Tokens(input=1, output=1))).key
    assert first.key != decode_event(raw_event("b")).key
    assert first.key != decode_event(raw_event("a", gateway="gw-neu")).key


def test_subject_names_the_payer() -> None:
    assert event().subject == "contoso/CC-1001"
    assert event(billing_code=None).subject == "contoso"
    assert event(time=NOON, provenance="none", tokens=NO_TOKENS).source == "/gateways/gw-weu"

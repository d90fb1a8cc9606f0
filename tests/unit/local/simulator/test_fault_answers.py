import json
from datetime import UTC, datetime
from typing import Literal

import pytest

from tollgate.local.simulator.fault_answers import (
    broken_off,
    broken_off_early,
    duration_text,
    exceeded,
    http_error,
    oddly_framed,
    throttled,
)
from tollgate.local.simulator.faults import HttpError, Throttle
from tollgate.local.simulator.frames import data_frame, event_frame

AT = datetime(2026, 10, 31, 23, 59, 30, tzinfo=UTC)
SENTENCE = exceeded("mini", "gpt-4o-mini", "West Europe")


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ("both", {"retry-after": "40", "retry-after-ms": "40000"}),
        ("seconds", {"retry-after": "40"}),
        ("milliseconds", {"retry-after-ms": "40000"}),
        ("http_date", {"retry-after": "Sun, 01 Nov 2026 00:00:10 GMT"}),
        ("none", {}),
    ],
)
def test_throttle_states_its_wait_in_each_form(
    form: Literal["both", "seconds", "milliseconds", "http_date", "none"], headers: dict[str, str]
) -> None:
    assert throttled(Throttle(retry_after_s=40, form=form), SENTENCE, AT).headers == headers


@pytest.mark.parametrize(
    ("fault", "headers"),
    [
        (Throttle(retry_after_s=60), {"x-ratelimit-reset-tokens": "60"}),
        (Throttle(retry_after_s=5, reason="requests"), {"x-ratelimit-reset-requests": "5"}),
        (
            Throttle(retry_after_s=360, reset_style="duration"),
            {"x-ratelimit-reset-tokens": "6m0s"},
        ),
        (
            Throttle(retry_after_s=1, retry_after_ms=250, reset_style="duration"),
            {"x-ratelimit-reset-tokens": "250ms"},
        ),
    ],
)
def test_throttle_may_state_its_wait_by_the_reset_alone(
    fault: Throttle, headers: dict[str, str]
) -> None:
    form = fault.model_copy(update={"form": "ratelimit_reset"})
    assert throttled(form, SENTENCE, AT).headers == headers


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(0, "0s"), (1000, "1s"), (1500, "1.5s"), (60_000, "1m0s"), (3_661_000, "1h1m1s")],
)
def test_duration_is_written_as_openai_does(duration_ms: int, text: str) -> None:
    assert duration_text(duration_ms) == text


def test_milliseconds_may_differ() -> None:
    headers = throttled(Throttle(retry_after_s=1, retry_after_ms=250), SENTENCE, AT).headers
    assert headers == {"retry-after": "1", "retry-after-ms": "250"}


def test_throttle_speaks_as_azure_does() -> None:
    message = json.loads(throttled(Throttle(), SENTENCE, AT).body)["error"]["message"]
    assert "mini for gpt-4o-mini in West Europe have exceeded the token rate limit" in message
    assert "Please retry after 1 seconds" in message
    busy = throttled(Throttle(reason="high_demand"), SENTENCE, AT)
    assert b"currently experiencing high demand" in busy.body


def test_error_has_the_body_that_is_asked_for() -> None:
    assert json.loads(http_error(HttpError(status=408)).body)["error"]["code"] == "Timeout"
    assert http_error(HttpError(body="html")).body.startswith(b"<!DOCTYPE html>")
    assert http_error(HttpError(body="empty", retry_after_s=3)).headers == {"retry-after": "3"}
    named = http_error(HttpError(status=503, code="NoCapacity", message="none"))
    assert json.loads(named.body)["error"] == {"code": "NoCapacity", "message": "none"}


def test_broken_off_stream_ends_with_an_error() -> None:
    frames = [data_frame({"n": number}, number) for number in range(5)]
    cut = list(broken_off(iter(frames), 2, {"code": "x", "message": "y"}, "chat.completions"))
    assert cut[:2] == frames[:2]
    assert json.loads(cut[2].data[6:])["error"]["code"] == "x"
    assert cut[2].pieces == 1


def test_responses_have_an_error_event() -> None:
    frames = [event_frame("response.created", {}, 0)]
    cut = list(broken_off(iter(frames), 1, {"code": "x", "message": "y"}, "responses"))
    assert cut[1].data.startswith(b'event: error\ndata: {"type":"error","sequence_number":1,')


def test_stream_may_break_off_before_its_content() -> None:
    frames = [data_frame({}, 0, early=True), data_frame({}, 0, early=True), data_frame({}, 1)]
    cut = list(broken_off_early(iter(frames), {"code": "x"}, "chat.completions"))
    assert cut[:-1] == frames[:2]
    assert b'"error"' in cut[-1].data


def test_images_have_an_error_event() -> None:
    [frame] = broken_off(iter(()), 0, {"code": "x", "message": "y"}, "images.edits")
    assert frame.data.startswith(b'event: error\ndata: {"type":"error","error":{"code":"x"')


def test_odd_framing_keeps_the_event() -> None:
    [frame] = oddly_framed(iter([event_frame("x", {"a": "data: "}, 0)]))
    assert frame.data == b': keep-alive\r\nevent: x\r\ndata:{"a":"data: "}\r\n\r\n'

from __future__ import annotations

import pytest
from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from tollgate.proxy.retry_after import duration_s, retry_after_s


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "Thu, 15 Oct 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Thu, 15 Oct 2026 12:00:30 -0000"}, 30),
        ({"retry-after": "Thu, 15 Oct 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Thu, 15 Oct 2026 12:00:30 +99999999999999999999"}, None),
        ({"retry-after": "Thu, 15 Oct 99999 12:00:30 GMT"}, None),
    ],
)
def test_a_wait_is_read_from_seconds_milliseconds_and_dates(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(tuple(headers.items()), NOON) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset-tokens": "60"}, 60),
        ({"x-ratelimit-reset-requests": "1s"}, 1),
        ({"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-reset-requests": "120ms"}, 0.12),
        ({"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-reset-requests": "0s"}, 360),
        ({"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-reset-requests": "soon"}, 360),
        ({"x-ratelimit-reset-tokens": "Thu, 15 Oct 2026 12:00:30 GMT"}, 30),
        ({"x-ratelimit-reset-tokens": "0"}, None),
        ({"x-ratelimit-reset-tokens": "6m0s", "retry-after": "7"}, 7),
        ({"x-ratelimit-reset-tokens": "6m0s", "retry-after": "0"}, 0),
        ({"x-ratelimit-reset-tokens": "6m0s", "retry-after": "soon"}, 360),
    ],
)
def test_without_a_wait_the_resets_of_the_limits_tell_it(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(tuple(headers.items()), NOON) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60),
        ("1.5s", 1.5),
        ("1h2m3s", 3723),
        ("250ms", 0.25),
        ("3µs", 3e-6),
        ("7d", None),
        ("s", None),
        ("1s ", None),
        ("1.s", None),
        ("-1s", None),
        ("", None),
        (None, None),
    ],
)
def test_a_duration_is_seconds_or_as_go_writes_it(text: str | None, seconds: float | None) -> None:
    assert duration_s(text) == seconds


names = st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset-tokens"])
NEARLY = st.text(alphabet="0123456789.smhµ:,+- GMTDecFri", max_size=40)


@given(st.lists(st.tuples(names, st.text(max_size=20) | NEARLY), max_size=3))
def test_whatever_a_backend_sends_is_a_wait_or_none(headers: list[tuple[str, str]]) -> None:
    seconds = retry_after_s(tuple(headers), NOON)
    assert seconds is None or seconds >= 0

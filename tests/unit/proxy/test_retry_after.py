from __future__ import annotations

import pytest
from builders import NOON

from tollgate.proxy.retry_after import retry_after_s


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

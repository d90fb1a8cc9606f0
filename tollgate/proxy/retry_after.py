"""How long a backend asks to be left alone."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tollgate.proxy.messages import Headers


def retry_after_s(headers: Headers, now: datetime) -> float | None:
    """Seconds from `retry-after-ms`, else `retry-after` (seconds or an HTTP date), else None.

    Args:
        headers: Names in lower case.
        now: With a time zone.
    """
    found = dict(headers)
    milliseconds = _number(found.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = found.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max((date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds(), 0.0)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None

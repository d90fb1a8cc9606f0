"""How long a backend asks to be left alone."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tollgate.proxy.messages import Headers

# The resets of the two limits, as OpenAI and Azure OpenAI name them.
_RESETS: Final = ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens")
# OpenAI writes resets as Go does: `1s`, `6m0s`, `120ms`.
_DURATION: Final = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|us|µs|ns|s|m|h)){1,6}")
_PART: Final = re.compile(r"([0-9.]+)([a-zµ]+)")
_UNIT_S: Final = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def retry_after_s(headers: Headers, now: datetime) -> float | None:
    """Seconds from `retry-after-ms`, else `retry-after`, else `x-ratelimit-reset-*`, else None.

    `retry-after` is seconds or an HTTP date; a reset may be a duration as well. Of two resets the
    shorter one counts: to ask too early costs one failed probe, to ask too late leaves room unused.
    A reset of 0 is not the one that the backend is short of.

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
    if seconds is None:
        seconds = _until_s(text, now)
    if seconds is not None:
        return seconds
    resets = (duration_s(found.get(name)) or _until_s(found.get(name), now) for name in _RESETS)
    return min((reset for reset in resets if reset), default=None)


def duration_s(text: str | None) -> float | None:
    """The seconds of `60`, `1s`, `6m0s` or `120ms`; None for anything else."""
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(amount) * _UNIT_S[unit] for amount, unit in _PART.findall(text))


def _until_s(text: str | None, now: datetime) -> float | None:
    """Seconds until an HTTP date; 0 if it is over."""
    if text is None:
        return None
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

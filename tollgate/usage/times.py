"""The time of an event: RFC 3339, UTC, to the millisecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import msgspec

_encoder: Final = msgspec.json.Encoder()
_FINER_THAN_MS: Final = re.compile(r"(\.\d{3})\d+")
_UTC_MS: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def is_utc_ms(text: str) -> bool:
    """Whether a valid time is spelled as `2026-10-31T23:59:59.999Z`."""
    return _UTC_MS.fullmatch(text) is not None


def cut_to_ms(text: str) -> datetime:
    """A time as UTC without what is finer than milliseconds; rounding could change the month.

    Raises:
        ValueError, OverflowError: The text is no time, or one outside the calendar.
    """
    time = msgspec.convert(_FINER_THAN_MS.sub(r"\1", text), datetime)
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def rfc3339_ms(time: datetime) -> str:
    """A UTC time, cut to milliseconds."""
    quoted = _encoder.encode(time).decode()  # in a fraction of the time of `isoformat`
    return f"{quoted[1:24]}Z" if time.microsecond else f"{quoted[1:20]}.000Z"

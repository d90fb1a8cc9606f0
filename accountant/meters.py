"""What is metered, and in which unit."""

from __future__ import annotations

from typing import Final

# The token leaves as they are priced, in the order that reports show them.
TOKEN_METERS: Final = (
    "input",
    "cached_input",
    "cache_write_input",
    "audio_input",
    "image_input",
    "cached_audio_input",
    "cached_image_input",
    "output",
    "audio_output",
    "image_output",
)
# What else is metered; behind the first colon may stand size and quality.
UNITS: Final = {
    "images": "image",
    "milliseconds": "millisecond",
    "characters": "character",
    "web_search_calls": "web_search_call",
    "file_search_calls": "file_search_call",
    "code_interpreter_sessions": "code_interpreter_session",
}


def unit_of(meter: str) -> str:
    """The unit that a meter counts, in the singular."""
    kind = meter.partition(":")[0]
    return "token" if meter in TOKEN_METERS else UNITS.get(kind, kind)

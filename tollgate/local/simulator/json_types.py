"""The type of a JSON object under construction, and its one encoder."""

from typing import TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, object]

_ENCODER = msgspec.json.Encoder()


def encode(value: object) -> bytes:
    """JSON in UTF-8, without spaces, as the provider writes it."""
    return _ENCODER.encode(value)

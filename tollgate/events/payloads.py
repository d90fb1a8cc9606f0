"""Splits what a broker or a file delivers into single events."""

from __future__ import annotations

import msgspec


def split_payload(payload: bytes) -> list[bytes]:
    """The events of a payload: one JSON object, or a JSON array of them.

    What is not JSON comes back whole: it is for the intake to refuse, with the reason.
    """
    if not payload.lstrip().startswith(b"["):
        return [payload]
    try:
        return [bytes(item) for item in msgspec.json.decode(payload, type=list[msgspec.Raw])]
    except msgspec.MsgspecError:
        return [payload]


def split_lines(text: bytes) -> list[bytes]:
    """The events of a file: JSON Lines, or one JSON array."""
    if text.lstrip().startswith(b"["):
        return split_payload(text)
    return [line for line in text.splitlines() if line.strip()]

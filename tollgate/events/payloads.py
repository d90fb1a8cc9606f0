"""Splits what a broker or a file delivers into single events."""

from __future__ import annotations

from codecs import BOM_UTF8

import msgspec


def split_payload(payload: bytes) -> list[bytes]:
    """The events of a payload: one JSON object, or a JSON array of them.

    What is not JSON comes back whole: it is for the intake to refuse, with the reason.
    """
    if not payload.lstrip().startswith(b"["):
        return [payload]
    try:
        return [bytes(item) for item in msgspec.json.decode(payload, type=list[msgspec.Raw])]
    except (msgspec.MsgspecError, RecursionError):
        return [payload]


def split_lines(text: bytes) -> list[bytes]:
    """The events of a file: JSON Lines, or one JSON array or object on any number of lines."""
    text = text.removeprefix(BOM_UTF8)
    if _is_one_value(text):
        return split_payload(text)
    return [line for line in text.splitlines() if line.strip()]


def _is_one_value(text: bytes) -> bool:
    if text.lstrip().startswith(b"["):
        return True
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True

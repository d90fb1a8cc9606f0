"""Reads Server-Sent Events from bytes that are cut anywhere.

Rules: https://html.spec.whatwg.org/multipage/server-sent-events.html (lines end in CR, LF or CRLF;
a blank line ends an event; `:` begins a comment; one space after the field's colon is dropped).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

MAX_FRAME_BYTES: Final = 8 * 1024 * 1024

# A line end, then another; a CR before a LF is no line end of its own.
_BLANK_LINE: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)")
_LONGEST_BLANK_LINE: Final = len(b"\r\n\r\n")
_DATA: Final = b"data: "
_BOM: Final = b"\xef\xbb\xbf"


class Frame(msgspec.Struct, frozen=True):
    """One event of the stream.

    Args:
        raw: Its bytes, the blank line included; all frames' `raw` joined are the stream.
        event: The event's name, empty if it has none.
        data: The data lines, joined by a line feed; empty for a comment, and for a frame that
            passed `MAX_FRAME_BYTES` and was given up on.
    """

    raw: bytes
    event: str
    data: bytes


class SseReader:
    """Splits a stream into frames; what it returns does not depend on how the bytes are cut."""

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._buffer = bytearray()
        self._max_frame_bytes = max_frame_bytes
        self._has_cr = False  # few streams have one; without it splitting is far cheaper

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that they complete."""
        held = self._buffer
        search_from = max(len(held) - _LONGEST_BLANK_LINE, 0)
        if held:
            held += chunk
        buffer = held or chunk
        self._has_cr = self._has_cr or b"\r" in chunk
        frames: list[Frame] = []
        start = 0
        for end in (_ends if self._has_cr else _ends_without_cr)(buffer, search_from):
            frames.append(_parse(bytes(buffer[start:end])))
            start = end
        if held:
            del held[:start]
        elif start < len(chunk):
            held += chunk[start:]
        if len(held) > self._max_frame_bytes:
            frames.append(self._give_up())
        return frames

    def end(self) -> list[Frame]:
        """The stream is over: return what is left, as a frame if it is one."""
        left = bytes(self._buffer)
        self._buffer.clear()
        return [_parse(left)] if left else []

    def _give_up(self) -> Frame:
        raw = bytes(self._buffer)
        self._buffer.clear()
        return Frame(raw, "", b"")


def _ends(buffer: bytes | bytearray, search_from: int) -> list[int]:
    """Where the blank lines of the buffer end."""
    ends = [match.end() for match in _BLANK_LINE.finditer(buffer, search_from)]
    if ends and ends[-1] == len(buffer) and buffer.endswith(b"\r"):
        ends.pop()  # a line feed may follow that belongs to this line end
    return ends


def _ends_without_cr(buffer: bytes | bytearray, search_from: int) -> list[int]:
    ends: list[int] = []
    at = buffer.find(b"\n\n", search_from)
    while at >= 0:
        ends.append(at + 2)
        at = buffer.find(b"\n\n", at + 2)
    return ends


def _parse(raw: bytes) -> Frame:
    if raw.startswith(_DATA) and raw.endswith(b"\n\n") and raw.find(b"\n") == len(raw) - 2:
        data = raw[len(_DATA) : -2]  # the usual frame: one line
        if b"\r" not in data:
            return Frame(raw, "", data)
    return _parse_lines(raw)


def _parse_lines(raw: bytes) -> Frame:
    event, data = b"", list[bytes]()
    for line in raw.removeprefix(_BOM).splitlines():
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            event = value.removeprefix(b" ")
    return Frame(raw, event.decode("utf-8", "replace"), b"\n".join(data))

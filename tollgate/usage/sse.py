"""Reads Server-Sent Events from bytes that are cut anywhere.

Rules: https://html.spec.whatwg.org/multipage/server-sent-events.html (lines end in CR, LF or CRLF;
a blank line ends an event; `:` begins a comment; one space after the field's colon is dropped).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

MAX_FRAME_BYTES: Final = 8 * 1024 * 1024

_LINE_END: Final = rb"(?>\r\n|\r|\n)"
_BLANK_LINE: Final = re.compile(_LINE_END + _LINE_END)
_LINE: Final = re.compile(rb"\r\n|\r|\n")
_LONGEST_BLANK_LINE: Final = len(b"\r\n\r\n")
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

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that they complete."""
        search_from = max(len(self._buffer) - _LONGEST_BLANK_LINE, 0)
        self._buffer += chunk
        frames: list[Frame] = []
        start = 0
        for match in _BLANK_LINE.finditer(self._buffer, search_from):
            if match.end() == len(self._buffer) and self._buffer.endswith(b"\r"):
                break  # a line feed may follow that belongs to this line end
            frames.append(_parse(bytes(self._buffer[start : match.end()])))
            start = match.end()
        del self._buffer[:start]
        if len(self._buffer) > self._max_frame_bytes:
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


def _parse(raw: bytes) -> Frame:
    event, data = b"", list[bytes]()
    for line in _LINE.split(raw.removeprefix(_BOM)):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            event = value.removeprefix(b" ")
    return Frame(raw, event.decode("utf-8", "replace"), b"\n".join(data))

"""The beginning of a stream: what comes before its first content can still come from elsewhere."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tollgate.proxy.frames import FrameSource
from tollgate.proxy.ports import BackendFailed
from tollgate.usage.extraction import FrameKind, StreamMeter
from tollgate.usage.sse import Frame

# So much is held back at most; a stream that still has no content then is let go.
MAX_HELD: Final = 64
_MAX_BYTES: Final = 256 * 1024
# Errors that are about the request: any other backend would say the same.
_FINAL_CODES: Final = frozenset(
    {
        "content_filter",
        "context_length_exceeded",
        "invalid_prompt",
        "invalid_request_error",
        "string_above_max_length",
    }
)


class Opening:
    """Reads a stream up to its first content, and keeps what it read.

    Args:
        frames: The stream.
        meter: Sees them.
        max_held: How many frames without content are held back.

    Attributes:
        seen: The frames so far, and what each is.
    """

    def __init__(self, frames: FrameSource, meter: StreamMeter, max_held: int = MAX_HELD) -> None:
        self._frames = frames
        self._max_held = max_held
        self.meter = meter
        self.seen: list[tuple[Frame, FrameKind]] = []

    async def read(self, backend: str) -> None:
        """Read on until there is something to send. May be cancelled, and loses nothing then.

        Raises:
            BackendFailed: The stream broke off, was empty, or brought an error first.
        """
        size = 0
        while len(self.seen) < self._max_held and size < _MAX_BYTES:
            frame = await self._frames.next()
            if frame is None:
                break
            kind = self.meter.see(frame)
            if kind == "error" and not is_final_error(frame.data):
                raise self._failed(f"{backend} began its stream with an error")
            self.seen.append((frame, kind))
            size += len(frame.raw)
            if kind != "other":
                return
        if not self.seen:
            raise self._failed(f"{backend} sent an empty stream")

    def _failed(self, reason: str) -> BackendFailed:
        failure = BackendFailed(reason, may_have_cost=True)
        failure.measurement = self.meter.measurement
        return failure


class _Error(msgspec.Struct):
    code: Any = None
    type: Any = None


class _Response(msgspec.Struct):
    error: _Error | None = None


class _ErrorFrame(msgspec.Struct):
    error: _Error | None = None
    response: _Response | None = None
    code: Any = None


def is_final_error(data: bytes) -> bool:
    """Whether an error frame, in any of the apis' shapes, is about the request."""
    try:
        frame = msgspec.json.decode(data, type=_ErrorFrame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    error = frame.error or (frame.response.error if frame.response else None)
    codes = [frame.code] if error is None else [error.code, error.type]
    return any(isinstance(code, str) and code in _FINAL_CODES for code in codes)

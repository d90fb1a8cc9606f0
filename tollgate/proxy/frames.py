"""The frames of an upstream's stream, one at a time."""

from __future__ import annotations

from collections import deque

from tollgate.proxy.ports import UpstreamAnswer
from tollgate.usage.sse import Frame, SseReader


class FrameSource:
    """Pulls bytes from an answer only as fast as frames are taken."""

    def __init__(self, answer: UpstreamAnswer) -> None:
        self._answer = answer
        self._reader = SseReader()
        self._ready: deque[Frame] = deque()
        self._ended = False

    async def next(self) -> Frame | None:
        """The next frame, None at the end. A cancelled call loses nothing.

        Raises:
            BackendFailed: The connection broke.
        """
        while not self._ready and not self._ended:
            chunk = await self._answer.next_chunk()
            self._ended = not chunk
            self._ready.extend(self._reader.feed(chunk) if chunk else self._reader.end())
        return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        """Give the connection up, or back if the stream was read to its end."""
        self._answer.close()

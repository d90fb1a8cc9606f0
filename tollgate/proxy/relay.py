"""Relays a streamed answer frame by frame, and sees that its usage is recorded.

The event is recorded before the client's last byte. A client that leaves does not stop the count:
the rest of the stream is drained in the background, within a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from tollgate.proxy.frames import FrameSource
from tollgate.proxy.metering import Call, Outcome
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import BackendFailed
from tollgate.usage.estimate import estimate_tokens
from tollgate.usage.event import Provenance
from tollgate.usage.extraction import FrameKind, StreamMeter
from tollgate.usage.sse import Frame
from tollgate.usage.tokens import Tokens

_BROKEN: Final = {
    "message": "The region broke the stream off; what was received until then stands.",
    "type": "server_error",
    "param": None,
    "code": "stream_broken",
}


class Background:
    """Keeps tasks alive until they are done; the event loop alone would not."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the requests."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, patience_s: float = 5.0) -> None:
        """Wait for what is under way; what takes longer is cut short, and counts as far as seen.

        Args:
            patience_s: How long to wait; hosts kill a process that does not end.
        """
        while self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience_s)
            for task in late:
                task.cancel()


class StreamPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a relay has to know of its request."""

    target: Target
    attempts: int
    status: int
    injected: bool
    prompt_characters: int
    drain_timeout_s: float


class StreamRelay:
    """An async iterator of bytes for the client; whoever stops early calls `abandon`.

    Args:
        frames: The stream after `first`.
        first: Its first frame, already read.
        call: Takes the event.
        plan: See `StreamPlan`.
        background: Runs the drain when the client has left.
    """

    def __init__(
        self,
        frames: FrameSource,
        first: Frame,
        call: Call,
        plan: StreamPlan,
        background: Background,
    ) -> None:
        self._frames = frames
        self._first: Frame | None = first
        self._call = call
        self._plan = plan
        self._background = background
        self._meter = StreamMeter(call.api)
        self._seen = 0
        self._complete = False  # the stream has said that it is
        self._over = False

    def __aiter__(self) -> StreamRelay:
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            try:
                frame = await self._next_frame()
            except BackendFailed:
                self._end()
                if self._complete:
                    break
                return self._broken_frame()
            if frame is None:
                self._end()
            elif not (self._see(frame) == "usage" and self._plan.injected):
                return frame.raw
        raise StopAsyncIteration

    def abandon(self) -> None:
        """The client is gone; does nothing if the stream is over."""
        if not self._over:
            self._over = True
            self._background.start(self._drain())

    async def _next_frame(self) -> Frame | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._frames.next()

    def _see(self, frame: Frame) -> FrameKind:
        self._seen += 1
        kind = self._meter.see(frame)
        if kind == "content":
            self._call.saw_content()
        elif kind == "done":
            self._complete = True
            self._record_usage(cancelled=False)
        return kind

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._plan.drain_timeout_s):
                while frame := await self._next_frame():
                    self._meter.see(frame)
        except (BackendFailed, TimeoutError):
            pass  # what was seen until then is the best there is, and marked as estimated
        finally:
            self._frames.close()
            self._record_usage(cancelled=True)

    def _end(self) -> None:
        self._over = True
        self._frames.close()
        self._record_usage(cancelled=False)

    def _record_usage(self, *, cancelled: bool) -> None:
        provenance, tokens = self._usage()
        self._call.record(
            Outcome(
                provenance=provenance,
                tokens=tokens,
                status=self._plan.status,
                target=self._plan.target,
                measurement=self._meter.measurement,
                attempts=self._plan.attempts,
                cancelled=cancelled,
            )
        )

    def _usage(self) -> tuple[Provenance, Tokens]:
        if self._meter.measurement.tokens is not None:
            return (
                "injected" if self._plan.injected else "measured",
                self._meter.measurement.tokens,
            )
        return "estimated", estimate_tokens(
            self._plan.prompt_characters, self._meter.output_characters
        )

    def _broken_frame(self) -> bytes:
        """Tells the client's SDK that the stream is not whole, in the api's own way."""
        if self._call.api == "responses":
            said = {key: _BROKEN[key] for key in ("code", "message", "param")}
            # the stream's own numbers begin at 0 or 1
            error = {"type": "error", **said, "sequence_number": self._seen + 1}
            return b"event: error\ndata: " + msgspec.json.encode(error) + b"\n\n"
        return b"data: " + msgspec.json.encode({"error": _BROKEN}) + b"\n\n"

"""Relays a streamed answer frame by frame, and sees that its usage is recorded.

The event is recorded before the client's last byte. A client that leaves does not stop the count:
the rest of the stream is drained in the background, within a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Protocol

import msgspec

from tollgate.proxy.metering import Call, Outcome
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.stream_flow import StreamFlow
from tollgate.usage.estimate import CHARACTERS_PER_TOKEN
from tollgate.usage.event import UsageEvent
from tollgate.usage.extraction import FrameKind, StreamMeter
from tollgate.usage.sse import Frame

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

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` beside the requests."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, patience_s: float = 5.0) -> None:
        """Wait for what is under way; what takes longer is cut short, and counts as far as seen.

        Args:
            patience_s: How long to wait; hosts kill a process that does not end.
        """
        while self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience_s)
            for task in late:
                task.cancel()


class Account(Protocol):
    """What a stream is counted as."""

    @property
    def hides_usage(self) -> bool:
        """Whether the frame with the usage was not asked for by the client."""
        ...

    def saw(self, meter: StreamMeter, frame: Frame, kind: FrameKind) -> None:
        """A frame went by that is no content; the meter has seen it."""
        ...

    def outcome(self, flow: StreamFlow) -> Outcome:
        """What the stream has used, as far as it was seen."""
        ...

    def recorded(self, event: UsageEvent) -> None:
        """That was recorded."""
        ...


class DrainBounds(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream is read on when its client has left."""

    timeout_s: float
    tokens: int


class StreamRelay:
    """An async iterator of bytes for the client; whoever stops early calls `abandon`.

    Args:
        flow: The stream.
        call: Takes the event.
        account: Says what it is counted as.
        bounds: Of the drain.
        background: Runs the drain when the client has left.
    """

    def __init__(
        self,
        flow: StreamFlow,
        call: Call,
        account: Account,
        bounds: DrainBounds,
        background: Background,
    ) -> None:
        self._flow = flow
        self._call = call
        self._account = account
        self._bounds = bounds
        self._background = background
        self._seen = 0
        self._complete = False  # the stream has said that it is
        self._over = False

    def __aiter__(self) -> StreamRelay:
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            try:
                seen = await self._flow.next()
            except BackendFailed:
                self._end()
                if self._complete:
                    break
                return self._broken_frame()
            if seen is None:
                self._end()
            elif not (self._note(*seen) == "usage" and self._account.hides_usage):
                return seen[0].raw
        raise StopAsyncIteration

    def abandon(self) -> None:
        """The client is gone; does nothing if the stream is over."""
        if not self._over:
            self._over = True
            self._background.start(self._drain())

    def _note(self, frame: Frame, kind: FrameKind) -> FrameKind:
        self._seen += 1
        if kind == "content":
            self._call.saw_content()
            return kind
        self._account.saw(self._flow.meter, frame, kind)
        if kind == "done":
            self._complete = True
            self._record(cancelled=False)
        return kind

    async def _drain(self) -> None:
        flow, meter = self._flow, self._flow.meter
        flow.stay()
        most = meter.output_characters + self._bounds.tokens * CHARACTERS_PER_TOKEN
        try:
            async with asyncio.timeout(self._bounds.timeout_s):
                while meter.output_characters <= most and (seen := await flow.next()):
                    if seen[1] != "content":
                        self._account.saw(meter, *seen)
        except (BackendFailed, TimeoutError):
            pass  # what was seen until then is the best there is, and marked as estimated
        finally:
            flow.close()
            self._record(cancelled=True)

    def _end(self) -> None:
        self._over = True
        self._flow.close()
        self._record(cancelled=False)

    def _record(self, *, cancelled: bool) -> None:
        outcome = self._account.outcome(self._flow)
        event = self._call.record(msgspec.structs.replace(outcome, cancelled=cancelled))
        if event is not None:
            self._account.recorded(event)

    def _broken_frame(self) -> bytes:
        """Tells the client's SDK that the stream is not whole, in the api's own way."""
        if self._call.api == "responses":
            said = {key: _BROKEN[key] for key in ("code", "message", "param")}
            # the stream's own numbers begin at 0 or 1
            error = {"type": "error", **said, "sequence_number": self._seen + 1}
            return b"event: error\ndata: " + msgspec.json.encode(error) + b"\n\n"
        return b"data: " + msgspec.json.encode({"error": _BROKEN}) + b"\n\n"

"""The frames of a streamed answer, from whichever backend brings it to an end.

Until the first content has gone by, a break or an error is not the client's: another backend goes
on in its place. What the first one has said before its content stays said, and the next one's like
is left out. (A stream of the Responses API says its id there, so it is held back; see `Opening`.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from tollgate.proxy.deliveries import Delivery, StreamDelivery
from tollgate.proxy.opening import is_final_error
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.refusals import Refusal
from tollgate.usage.extraction import FrameKind, StreamMeter
from tollgate.usage.sse import Frame

# Asks another backend after a failure; raises Refusal if there is none.
Again = Callable[[BackendFailed], Awaitable[Delivery]]


class StreamFlow:
    """One frame after the other, with what each is.

    Args:
        delivery: The stream that has begun.
        again: Finds another one.

    Attributes:
        delivery: The stream that goes on at the moment.
    """

    def __init__(self, delivery: StreamDelivery, again: Again | None = None) -> None:
        self.delivery = delivery
        self._again = again
        self._opening = deque(delivery.opening.seen)
        self._leaves_out = False

    @property
    def meter(self) -> StreamMeter:
        """Has seen the frames of the stream that goes on."""
        return self.delivery.opening.meter

    async def next(self) -> tuple[Frame, FrameKind] | None:
        """The next frame, None at the end. A cancelled call loses nothing.

        Raises:
            BackendFailed: The connection broke, and no other backend goes on.
        """
        while True:
            seen = self._opening.popleft() if self._opening else await self._read()
            if self._again is None or seen is None:
                return seen
            kind = seen[1]
            if kind == "other" and self._leaves_out:
                continue
            if kind == "error" and not is_final_error(seen[0].data):
                await self._go_on(self._failed("brought an error before its content"))
                continue
            if kind != "other":
                self.stay()
            return seen

    def stay(self) -> None:
        """From here on the stream is this backend's, whatever comes."""
        self._again = None

    def close(self) -> None:
        """Give the connection up, or back if the stream was read to its end."""
        self.delivery.frames.close()

    async def _read(self) -> tuple[Frame, FrameKind] | None:
        try:
            frame = await self.delivery.frames.next()
            if frame is not None:
                return frame, self.meter.see(frame)
            if self._again is not None:
                raise self._failed("ended before its content")
        except BackendFailed as failure:
            failure.measurement = self.meter.measurement
            await self._go_on(failure)
            return self._opening.popleft()
        return None

    def _failed(self, what: str) -> BackendFailed:
        failure = BackendFailed(f"{self.delivery.asked.backend.name} {what}", may_have_cost=True)
        failure.measurement = self.meter.measurement
        return failure

    async def _go_on(self, failure: BackendFailed) -> None:
        """Go on with another backend.

        Raises:
            BackendFailed: There is none, or it answers with something else; it is the first one's.
        """
        again = self._again
        if again is None:
            raise failure
        self.close()
        try:
            delivery = await again(failure)
        except Refusal:
            self.stay()
            raise failure from None
        if not isinstance(delivery, StreamDelivery):
            self.stay()
            raise failure
        self.delivery = delivery
        self._opening = deque(delivery.opening.seen)
        self._leaves_out = True

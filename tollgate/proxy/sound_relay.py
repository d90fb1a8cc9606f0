"""Relays spoken sound as it comes, and sees that it is counted.

Sound says nothing of its usage: what it is counted as, the text that was to be spoken, is known
before it begins. So nothing is drained when the client leaves, and nothing is kept in memory.
"""

from __future__ import annotations

import msgspec

from tollgate.proxy.deliveries import SoundDelivery
from tollgate.proxy.metering import Call, Outcome
from tollgate.proxy.ports import BackendFailed


class SoundRelay:
    """An async iterator of bytes for the client; whoever stops early calls `abandon`.

    The event is recorded before the end of the body goes out. The next bytes are taken from the
    backend only when the client has taken those before.

    Args:
        delivery: The sound that has begun.
        call: Takes the event.
        outcome: What it is counted as.
    """

    def __init__(self, delivery: SoundDelivery, call: Call, outcome: Outcome) -> None:
        self._first = delivery.first
        self._answer = delivery.answer
        self._call = call
        self._outcome = outcome
        self._over = False

    def __aiter__(self) -> SoundRelay:
        return self

    async def __anext__(self) -> bytes:
        """The next bytes.

        Raises:
            ConnectionAbortedError: The backend broke off. The client's connection must too: sound
                has no other way to say that it is not whole.
        """
        if self._over:
            raise StopAsyncIteration
        chunk, self._first = self._first, b""
        try:
            chunk = chunk or await self._answer.next_chunk()
        except BackendFailed as failure:
            self._end(cancelled=False)
            raise ConnectionAbortedError("the region broke the sound off") from failure
        if not chunk:
            self._end(cancelled=False)
            raise StopAsyncIteration
        self._call.saw_content()
        return chunk

    def abandon(self) -> None:
        """The client is gone; does nothing if the sound is over."""
        if not self._over:
            self._end(cancelled=True)

    def _end(self, *, cancelled: bool) -> None:
        self._over = True
        self._answer.close()
        self._call.record(msgspec.structs.replace(self._outcome, cancelled=cancelled))

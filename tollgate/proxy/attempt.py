"""One attempt: send to one backend, and wait until it is certain that it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Final

import msgspec

from tollgate.proxy.deadline import Deadline
from tollgate.proxy.deliveries import Delivery, SoundDelivery, StreamDelivery, WholeDelivery
from tollgate.proxy.frames import FrameSource
from tollgate.proxy.messages import EVENT_STREAM_TYPE
from tollgate.proxy.metering import Clock
from tollgate.proxy.opening import MAX_HELD, Opening
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import BackendFailed, Upstream, UpstreamAnswer, UpstreamRequest
from tollgate.proxy.prompts import CountTokens
from tollgate.proxy.retry_after import retry_after_s
from tollgate.proxy.routes import COMPLETIONS, SPEECH
from tollgate.proxy.served import served_target
from tollgate.proxy.upstream_requests import Plan, upstream_request
from tollgate.usage.extraction import StreamMeter

_RETRYABLE: Final = frozenset({408, 429})
_FREE: Final = frozenset({429, 503})  # refused before any work, for certain
_REDIRECTS: Final = range(300, 400)  # a backend that is not where the settings say
_SERVER_ERROR: Final = 500
_OK: Final = 200
# What is read of an error that nobody sees, so that its connection can be used again.
_ERROR_BYTES: Final = 64 * 1024
_ERROR_S: Final = 1.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt has to know of its request.

    Args:
        api: The operation as the usage event names it.
        streamed: Whether the client asked for a stream.
        number: 1 for the first attempt.
        max_held: How many frames without content are held back.
    """

    api: str
    streamed: bool
    number: int
    max_held: int = MAX_HELD


class AttemptBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one backend gets of a request's time and memory.

    Args:
        first_byte_timeout_s: How long a backend may be silent before a stream's first byte.
        answer_timeout_s: The same for an answer that is not streamed: it begins when all of it is
            generated, and to ask another backend sooner would pay for it twice.
        max_answer_bytes: The bound on an answer that is not streamed.
    """

    first_byte_timeout_s: float
    answer_timeout_s: float
    max_answer_bytes: int


class Attempts:
    """Makes attempts.

    Args:
        upstream: Sends.
        clock: For `Retry-After` dates.
        bounds: How long it waits for what.
        count_tokens: The tokenizer for the estimate of a stream, if there is one.
    """

    def __init__(
        self,
        upstream: Upstream,
        clock: Clock,
        bounds: AttemptBounds,
        count_tokens: CountTokens | None = None,
    ) -> None:
        self._upstream = upstream
        self._clock = clock
        self._first_byte_timeout_s = bounds.first_byte_timeout_s
        self._answer_timeout_s = bounds.answer_timeout_s
        self._max_answer_bytes = bounds.max_answer_bytes
        self._count_tokens = count_tokens

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def make(self, plan: Plan, target: Target, number: int) -> Delivery:
        """Send to `target` and return its answer; or a stream or sound, once it has begun well.

        Raises:
            BackendFailed: Another backend may be asked.
        """
        request = upstream_request(plan, target, await self.credential(target))
        order = Order(
            api=plan.route.api,
            streamed=plan.prompt.streamed,
            number=number,
            max_held=_max_held(plan),
        )
        begun = await self._begin(request, target, order)
        if isinstance(begun, StreamDelivery):
            return begun
        if order.api == SPEECH and not order.streamed and begun.status == _OK:
            return await _sound_delivery(target, begun, number)
        return await self._read_whole(target, begun, number)

    async def send(
        self, request: UpstreamRequest, target: Target, order: Order
    ) -> WholeDelivery | StreamDelivery:
        """Send a request that is made already, and is not to speak; else as `make`.

        Raises:
            BackendFailed: Another backend may be asked.
        """
        begun = await self._begin(request, target, order)
        if isinstance(begun, StreamDelivery):
            return begun
        return await self._read_whole(target, begun, order.number)

    async def _begin(
        self, request: UpstreamRequest, target: Target, order: Order
    ) -> StreamDelivery | UpstreamAnswer:
        """Send, and wait for a stream that has begun well, or for the head of any other answer."""
        timeout_s = self._first_byte_timeout_s if order.streamed else self._answer_timeout_s
        stream: StreamDelivery | None = None
        answer: UpstreamAnswer | None = None
        try:
            with Deadline(timeout_s, self._loop) as silence:
                answer = await self._upstream.send(request)
                if _is_stream(answer):
                    meter = StreamMeter(order.api, self._count_tokens)
                    stream = _stream_delivery(target, answer, order, meter)
                    await stream.opening.read(target.backend.name)
                    return stream
                silence.lift()
        except TimeoutError:
            if stream is not None and stream.opening.seen:
                return stream  # it has begun, but thinks for long: the client gets what there is
            _close(answer)
            reason = f"{target.backend.name} sent nothing for {timeout_s:g} s"
            raise BackendFailed(reason, may_have_cost=True) from None
        except BaseException:
            _close(answer)
            raise
        return answer

    async def credential(self, target: Target) -> Mapping[str, str]:
        """The headers that authenticate us at a target.

        Raises:
            BackendFailed: They could not be had.
        """
        credential = target.backend.credential
        if credential.ready is not None:
            return credential.ready
        try:
            with Deadline(self._first_byte_timeout_s):
                return await credential.headers()
        except TimeoutError:
            reason = f"no credential for {target.backend.name} within"
            raise BackendFailed(f"{reason} {self._first_byte_timeout_s:g} s") from None

    async def _read_whole(
        self, target: Target, answer: UpstreamAnswer, number: int
    ) -> WholeDelivery:
        try:
            status = answer.status
            if status in _RETRYABLE or status in _REDIRECTS or status >= _SERVER_ERROR:
                await _read_error(answer)
                raise self._failure(target, answer)
            body = await answer.read(self._max_answer_bytes)
        finally:
            answer.close()
        return WholeDelivery(
            asked=target,
            target=served_target(target, answer.fields),
            attempts=number,
            status=status,
            headers=answer.headers,
            body=body,
        )

    def _failure(self, target: Target, answer: UpstreamAnswer) -> BackendFailed:
        status = answer.status
        return BackendFailed(
            f"{target.backend.name} answered {status}",
            status=status,
            retry_after_s=retry_after_s(answer.headers, self._clock.now()),
            may_have_cost=status not in _FREE and status not in _REDIRECTS,
        )


def _max_held(plan: Plan) -> int:
    """A chat's first frames are the same from any backend, and go out at once.

    A response says its id there; but who can fetch it later wants that id now.
    """
    at_once = plan.route.api in COMPLETIONS or plan.prompt.members.get("background") is True
    return 1 if at_once else MAX_HELD


def _stream_delivery(
    target: Target, answer: UpstreamAnswer, order: Order, meter: StreamMeter
) -> StreamDelivery:
    frames = FrameSource(answer)
    return StreamDelivery(
        asked=target,
        target=served_target(target, answer.fields),
        attempts=order.number,
        status=answer.status,
        headers=answer.headers,
        opening=Opening(frames, meter, order.max_held),
        frames=frames,
    )


async def _sound_delivery(target: Target, answer: UpstreamAnswer, number: int) -> SoundDelivery:
    try:
        first = await answer.next_chunk()
    except BaseException:
        answer.close()
        raise
    return SoundDelivery(
        asked=target,
        target=served_target(target, answer.fields),
        attempts=number,
        status=answer.status,
        headers=answer.headers,
        first=first,
        answer=answer,
    )


def _close(answer: UpstreamAnswer | None) -> None:
    if answer is not None:
        answer.close()


async def _read_error(answer: UpstreamAnswer) -> None:
    with suppress(BackendFailed, TimeoutError), Deadline(_ERROR_S):
        await answer.read(_ERROR_BYTES)


def _is_stream(answer: UpstreamAnswer) -> bool:
    return answer.status == _OK and answer.fields.get("content-type", "").lower().startswith(
        EVENT_STREAM_TYPE
    )

"""One attempt: send to one backend, and wait until it is certain that it answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import msgspec

from tollgate.proxy.frames import FrameSource
from tollgate.proxy.messages import EVENT_STREAM_TYPE, Headers
from tollgate.proxy.metering import Clock
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import BackendFailed, Upstream, UpstreamAnswer
from tollgate.proxy.retry_after import retry_after_s
from tollgate.proxy.served import served_target
from tollgate.proxy.upstream_requests import Plan, upstream_request
from tollgate.usage.extraction import StreamMeter
from tollgate.usage.sse import Frame

_RETRYABLE: Final = frozenset({408, 429})
_FREE: Final = frozenset({429, 503})  # refused before any work, for certain
_REDIRECTS: Final = range(300, 400)  # a backend that is not where the settings say
_SERVER_ERROR: Final = 500
_OK: Final = 200
# What is read of an error that nobody sees, so that its connection can be used again.
_ERROR_BYTES: Final = 64 * 1024
_ERROR_S: Final = 1.0


class WholeDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is here as a whole."""

    target: Target
    attempts: int
    status: int
    headers: Headers
    body: bytes


class StreamDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that has begun well."""

    target: Target
    attempts: int
    status: int
    headers: Headers
    first: Frame
    frames: FrameSource


Delivery = WholeDelivery | StreamDelivery


class Attempts:
    """Makes attempts.

    Args:
        upstream: Sends.
        clock: For `Retry-After` dates.
        first_byte_timeout_s: How long a backend may be silent before a stream's first byte.
        answer_timeout_s: The same for an answer that is not streamed: it begins when all of it is
            generated, and to ask another backend sooner would pay for it twice.
        max_answer_bytes: The bound on an answer that is not streamed.
    """

    def __init__(
        self,
        upstream: Upstream,
        clock: Clock,
        *,
        first_byte_timeout_s: float,
        answer_timeout_s: float,
        max_answer_bytes: int,
    ) -> None:
        self._upstream = upstream
        self._clock = clock
        self._first_byte_timeout_s = first_byte_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._max_answer_bytes = max_answer_bytes

    async def make(self, plan: Plan, target: Target, number: int) -> Delivery:
        """Send to `target` and return its answer, or the stream once its first frame is there.

        Raises:
            BackendFailed: Another backend may be asked.
        """
        credential = await self._credential(target)
        streamed = plan.prompt.streamed
        timeout_s = self._first_byte_timeout_s if streamed else self._answer_timeout_s
        try:
            async with asyncio.timeout(timeout_s) as silence:
                answer = await self._upstream.send(upstream_request(plan, target, credential))
                if _is_stream(answer):
                    return await self._begin_stream(plan, target, answer, number)
                silence.reschedule(None)
        except TimeoutError:
            reason = f"{target.backend.name} sent nothing for {timeout_s:g} s"
            raise BackendFailed(reason, may_have_cost=True) from None
        return await self._read_whole(target, answer, number)

    async def _credential(self, target: Target) -> dict[str, str]:
        try:
            async with asyncio.timeout(self._first_byte_timeout_s):
                return dict(await target.backend.credential.headers())
        except TimeoutError:
            reason = f"no credential for {target.backend.name} within"
            raise BackendFailed(f"{reason} {self._first_byte_timeout_s:g} s") from None

    async def _begin_stream(
        self, plan: Plan, target: Target, answer: UpstreamAnswer, number: int
    ) -> StreamDelivery:
        frames = FrameSource(answer)
        try:
            first = _checked_first(await frames.next(), plan.route.api, target)
        except BaseException:
            answer.close()
            raise
        return StreamDelivery(
            target=served_target(target, answer.headers),
            attempts=number,
            status=answer.status,
            headers=answer.headers,
            first=first,
            frames=frames,
        )

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
            target=served_target(target, answer.headers),
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


def _checked_first(frame: Frame | None, api: str, target: Target) -> Frame:
    if frame is None:
        raise BackendFailed(f"{target.backend.name} sent an empty stream", may_have_cost=True)
    if StreamMeter(api).see(frame) == "error":
        reason = f"{target.backend.name} began its stream with an error"
        raise BackendFailed(reason, may_have_cost=True)
    return frame


async def _read_error(answer: UpstreamAnswer) -> None:
    with suppress(BackendFailed, TimeoutError):
        async with asyncio.timeout(_ERROR_S):
            await answer.read(_ERROR_BYTES)


def _is_stream(answer: UpstreamAnswer) -> bool:
    content_type = dict(answer.headers).get("content-type", "")
    return answer.status == _OK and content_type.lower().startswith(EVENT_STREAM_TYPE)

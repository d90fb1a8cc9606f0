"""Finds the usage in the provider's answers, streamed or not.

Both URL surfaces (`/openai/deployments/…` and `/openai/v1/…`) answer alike. Streams of chat
completions and completions are chunks, with the usage in a chunk of its own, and end with `[DONE]`.
All others are events, with the usage in the one that ends the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from tollgate.usage.estimate import TextTally
from tollgate.usage.measurement import (
    NOTHING_MEASURED,
    Measurement,
    measured,
    time_stated,
    tokens_stated,
)
from tollgate.usage.provider_answers import Usage, read_answer
from tollgate.usage.provider_frames import (
    CompletionFrame,
    read_completion_frame,
    read_event_frame,
    texts,
)
from tollgate.usage.sse import Frame

FrameKind = Literal["content", "usage", "done", "error", "other"]

_CHUNKED: Final = frozenset({"chat.completions", "completions"})
_LONGEST_DONE: Final = 16

_KIND_OF_EVENT: Final[dict[str, FrameKind]] = {
    "error": "error",
    "response.failed": "error",
    "response.completed": "done",
    "response.incomplete": "done",
    "response.cancelled": "done",
    "response.image_generation_call.partial_image": "content",
    "image_generation.partial_image": "content",
    "image_generation.completed": "done",
    "image_edit.partial_image": "content",
    "image_edit.completed": "done",
    "transcript.text.done": "done",
    "speech.audio.done": "done",
}
# Deltas in base64; they would be no text even where they are called `delta`.
_SOUND: Final = frozenset({"speech.audio.delta", "response.audio.delta"})


def measure_answer(body: bytes, api: str = "chat.completions") -> Measurement:
    """Read the usage of a whole answer; nothing is measured in what is no JSON object."""
    answer = read_answer(body, api)
    return NOTHING_MEASURED if answer is None else measured(answer, api)


class StreamMeter:
    """Watches the frames of one streamed answer go by.

    Args:
        api: The API that answers.
        count_tokens: The tokenizer for the estimate of a stream without usage, if there is one.

    Attributes:
        measurement: What the stream has said so far.
        output: The text that was streamed, for an estimate.
    """

    def __init__(self, api: str, count_tokens: Callable[[str], int] | None = None) -> None:
        self.measurement = NOTHING_MEASURED
        self.output = TextTally(count_tokens)
        self._api = api
        self._told: tuple[str | None, ...] = ()
        self._see = self._see_chunk if api in _CHUNKED else self._see_event

    @property
    def output_characters(self) -> int:
        """Length of the text that was streamed."""
        return self.output.characters

    def see(self, frame: Frame) -> FrameKind:
        """Note what the frame says.

        Returns:
            `content` for text, a tool call, sound or a partial image, `usage` for a frame with
            usage and no choice, `done` for the end of a complete stream, `error`, or `other`.
        """
        data = frame.data
        if not data:
            return "other"
        if len(data) <= _LONGEST_DONE and data.strip() == b"[DONE]":
            return "done"
        return self._see(data)

    def _see_chunk(self, data: bytes) -> FrameKind:
        chunk = read_completion_frame(data)
        if chunk is None:
            return "other"
        if chunk.error is not None:
            return "error"
        if chunk.usage is not None or self._told != (chunk.id, chunk.model, chunk.service_tier):
            self._keep_chunk(chunk)
        if not chunk.choices:
            return "other" if chunk.usage is None else "usage"
        kind: FrameKind = "other"
        for choice in chunk.choices:
            for text in texts(choice):
                self.output.add(text)
                kind = "content"
            if choice.delta is not None and choice.delta.audio is not None:
                kind = "content"
        return kind

    def _keep_chunk(self, chunk: CompletionFrame) -> None:
        self._told = (chunk.id, chunk.model, chunk.service_tier)
        self._keep(
            Measurement(
                tokens=None if chunk.usage is None else tokens_stated(chunk.usage, self._api),
                model=chunk.model,
                service_tier=chunk.service_tier,
                response_id=chunk.id,
            )
        )

    def _see_event(self, data: bytes) -> FrameKind:
        event = read_event_frame(data)
        if event is None:
            return "other"
        if event.error is not None:
            return "error"
        name = event.type or ""
        if name.endswith(".delta"):
            if event.delta and name not in _SOUND:
                self.output.add(event.delta)
            return "content"
        if event.response is not None:
            self._keep(measured(event.response, self._api))
        if event.usage is not None:
            self._keep(_measured_event(event.usage, self._api))
        return _KIND_OF_EVENT.get(name, "other")

    def _keep(self, seen: Measurement) -> None:
        """What is said later goes before what was said earlier; silence changes nothing."""
        before = self.measurement
        self.measurement = msgspec.structs.replace(
            before,
            tokens=seen.tokens or before.tokens,
            model=seen.model or before.model,
            service_tier=seen.service_tier or before.service_tier,
            response_id=seen.response_id or before.response_id,
            status=seen.status or before.status,
            units=seen.units or before.units,
        )


def _measured_event(usage: Usage, api: str) -> Measurement:
    return Measurement(tokens=tokens_stated(usage, api), units=time_stated(usage))

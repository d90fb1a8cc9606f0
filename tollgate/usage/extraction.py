"""Finds the usage in the provider's answers, streamed or not.

Shapes: chat completions, completions and embeddings carry `usage.prompt_tokens` …; the Responses
API carries `usage.input_tokens` …, in the answer or in the terminal event's `response`. Both URL
surfaces (`/openai/deployments/…` and `/openai/v1/…`) answer alike.
"""

from __future__ import annotations

from typing import Any, Final, Literal, cast

import msgspec

from tollgate.usage.provider_answers import (
    InputDetails,
    OutputDetails,
    ProviderAnswer,
    Usage,
    read_answer,
    read_responses_event,
)
from tollgate.usage.sse import Frame
from tollgate.usage.tokens import Tokens

FrameKind = Literal["content", "usage", "done", "error", "other"]

_KIND_OF_EVENT: Final[dict[str, FrameKind]] = {
    "error": "error",
    "response.failed": "error",
    "response.completed": "done",
    "response.incomplete": "done",
}


_UNKNOWN_INPUT: Final = InputDetails(None, None, None, None)
_UNKNOWN_OUTPUT: Final = OutputDetails(None, None, None)


class Measurement(msgspec.Struct, frozen=True):
    """What an answer says of itself.

    Args:
        tokens: The provider's counts; None if it stated none.
        model: Model and version as the provider names them, for example gpt-4o-2024-11-20.
        service_tier: The tier that served the call.
        response_id: The provider's id of the answer.
        status: Of a response: completed, incomplete, failed, queued, in_progress, …
    """

    tokens: Tokens | None = None
    model: str | None = None
    service_tier: str | None = None
    response_id: str | None = None
    status: str | None = None


NOTHING_MEASURED: Final = Measurement()


def measure_answer(body: bytes) -> Measurement:
    """Read the usage of a whole answer; nothing is measured in what is no JSON object."""
    answer = read_answer(body)
    return NOTHING_MEASURED if answer is None else _measurement(answer)


class StreamMeter:
    """Watches the frames of one streamed answer go by.

    Attributes:
        measurement: What the stream has said so far.
        output_characters: Length of the text that was streamed, for an estimate.
    """

    def __init__(self, api: str) -> None:
        self.measurement = NOTHING_MEASURED
        self.output_characters = 0
        self._see = self._see_response if api == "responses" else self._see_completion

    def see(self, frame: Frame) -> FrameKind:
        """Note what the frame says.

        Returns:
            `content` for text (or a tool call), `usage` for a frame with usage and no choice,
            `done` for the end of a complete stream, `error`, or `other`.
        """
        if not frame.data:
            return "other"
        if frame.data.strip() == b"[DONE]":
            return "done"
        return self._see(frame.data)

    def _see_completion(self, data: bytes) -> FrameKind:
        answer = read_answer(data)
        if answer is None:
            return "other"
        if answer.error is not None:
            return "error"
        self._keep(answer)
        characters = sum(_characters(choice) for choice in answer.choices or ())
        self.output_characters += characters
        if answer.usage is not None and not answer.choices:
            return "usage"
        return "content" if characters else "other"

    def _see_response(self, data: bytes) -> FrameKind:
        event = read_responses_event(data)
        if event is None:
            return "other"
        self._keep(event.response)
        if event.type in _KIND_OF_EVENT:
            return _KIND_OF_EVENT[event.type]
        if not event.type.endswith(".delta"):
            return "other"
        self.output_characters += len(event.delta) if isinstance(event.delta, str) else 0
        return "content"

    def _keep(self, answer: ProviderAnswer | None) -> None:
        if answer is None:
            return
        seen, before = _measurement(answer), self.measurement
        self.measurement = Measurement(
            tokens=seen.tokens or before.tokens,
            model=seen.model or before.model,
            service_tier=seen.service_tier or before.service_tier,
            response_id=seen.response_id or before.response_id,
            status=seen.status or before.status,
        )


def _measurement(answer: ProviderAnswer) -> Measurement:
    return Measurement(
        tokens=_tokens(answer.usage) if answer.usage else None,
        model=answer.model or None,
        service_tier=answer.service_tier,
        response_id=answer.id or None,
        status=answer.status,
    )


def _tokens(usage: Usage) -> Tokens | None:
    """The counts in our names; None if the totals are missing or impossible.

    Totals with impossible parts are kept, and the parts are then not known.
    """
    if usage.input_tokens is not None:
        totals = {"input": usage.input_tokens, "output": usage.output_tokens}
        inside, made = usage.input_tokens_details, usage.output_tokens_details
    else:
        totals = {"input": usage.prompt_tokens, "output": usage.completion_tokens}
        inside, made = usage.prompt_tokens_details, usage.completion_tokens_details
    parts = _parts(inside or _UNKNOWN_INPUT, made or _UNKNOWN_OUTPUT)
    for counts in ({**totals, **parts}, {**totals, **dict.fromkeys(parts)}):
        try:
            return msgspec.convert(counts, Tokens)
        except msgspec.ValidationError:
            continue
    return None


def _parts(inside: InputDetails, made: OutputDetails) -> dict[str, int | None]:
    return {
        "cached_input": inside.cached_tokens,
        "cache_write_input": inside.cache_write_tokens,
        "audio_input": inside.audio_tokens,
        "image_input": inside.image_tokens,
        "reasoning_output": made.reasoning_tokens,
        "audio_output": made.audio_tokens,
        "image_output": made.image_tokens,
    }


def _characters(choice: dict[str, Any]) -> int:
    """The length of the text that a choice of a frame brings: content, refusal, tool calls."""
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        text = choice.get("text")  # completions
        return len(text) if isinstance(text, str) else 0
    parts = cast("dict[str, Any]", delta)
    texts = [parts.get("content"), parts.get("refusal"), parts.get("reasoning_content")]
    if isinstance(parts.get("audio"), dict):
        texts.append(parts["audio"].get("transcript"))
    if parts.get("tool_calls"):
        texts.append(msgspec.json.encode(parts["tool_calls"]).decode())
    return sum(len(text) for text in texts if isinstance(text, str))

"""Finds the usage in the provider's answers, streamed or not.

Shapes: chat completions, completions and embeddings carry `usage.prompt_tokens` …; the Responses
API carries `usage.input_tokens` …, in the answer or in the terminal event's `response`. Both URL
surfaces (`/openai/deployments/…` and `/openai/v1/…`) answer alike.
"""

from __future__ import annotations

from typing import Any, Final, Literal, cast

import msgspec

from tollgate.usage.sse import Frame
from tollgate.usage.tokens import Tokens

FrameKind = Literal["content", "usage", "done", "error", "other"]


class _InputDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = 0
    cache_write_tokens: int | None = 0
    audio_tokens: int | None = 0
    image_tokens: int | None = 0


class _OutputDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int | None = 0
    audio_tokens: int | None = 0
    image_tokens: int | None = 0


_NO_INPUT_DETAILS: Final = _InputDetails()
_NO_OUTPUT_DETAILS: Final = _OutputDetails()
_UNKNOWN_INPUT_DETAILS: Final = _InputDetails(None, None, None, None)
_UNKNOWN_OUTPUT_DETAILS: Final = _OutputDetails(None, None, None)


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = 0  # embeddings have none
    prompt_tokens_details: _InputDetails | None = _NO_INPUT_DETAILS
    completion_tokens_details: _OutputDetails | None = _NO_OUTPUT_DETAILS
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = _NO_INPUT_DETAILS
    output_tokens_details: _OutputDetails | None = _NO_OUTPUT_DETAILS


class _Answer(msgspec.Struct, frozen=True):
    id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    status: str | None = None
    usage: _Usage | None = None
    choices: list[dict[str, Any]] | None = None
    error: Any = None


class _ResponsesFrame(msgspec.Struct, frozen=True):
    type: str = ""
    response: _Answer | None = None
    delta: Any = None


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
_answer_decoder: Final = msgspec.json.Decoder(_Answer)
_responses_frame_decoder: Final = msgspec.json.Decoder(_ResponsesFrame)


def measure_answer(body: bytes) -> Measurement:
    """Read the usage of a whole answer; nothing is measured in one that is not as documented."""
    try:
        return _measurement(_answer_decoder.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return NOTHING_MEASURED


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
        try:
            return self._see(frame.data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return "other"

    def _see_completion(self, data: bytes) -> FrameKind:
        answer = _answer_decoder.decode(data)
        if answer.error is not None:
            return "error"
        self._keep(answer)
        characters = sum(_characters(choice) for choice in answer.choices or ())
        self.output_characters += characters
        if answer.usage is not None and not answer.choices:
            return "usage"
        return "content" if characters else "other"

    def _see_response(self, data: bytes) -> FrameKind:
        frame = _responses_frame_decoder.decode(data)
        if frame.type in {"error", "response.failed"}:
            self._keep(frame.response)
            return "error"
        self._keep(frame.response)
        if frame.type in {"response.completed", "response.incomplete"}:
            return "done"
        if not frame.type.endswith(".delta"):
            return "other"
        self.output_characters += len(frame.delta) if isinstance(frame.delta, str) else 0
        return "content"

    def _keep(self, answer: _Answer | None) -> None:
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


def _measurement(answer: _Answer) -> Measurement:
    return Measurement(
        tokens=_tokens(answer.usage) if answer.usage else None,
        model=answer.model or None,
        service_tier=answer.service_tier,
        response_id=answer.id or None,
        status=answer.status,
    )


def _tokens(usage: _Usage) -> Tokens | None:
    """The counts in our names; None if the totals are missing or impossible.

    Totals with impossible parts are kept, and the parts are then not known.
    """
    if usage.input_tokens is not None:
        totals = {"input": usage.input_tokens, "output": usage.output_tokens}
        inside, made = usage.input_tokens_details, usage.output_tokens_details
    else:
        totals = {"input": usage.prompt_tokens, "output": usage.completion_tokens}
        inside, made = usage.prompt_tokens_details, usage.completion_tokens_details
    parts = _parts(inside or _UNKNOWN_INPUT_DETAILS, made or _UNKNOWN_OUTPUT_DETAILS)
    for counts in ({**totals, **parts}, {**totals, **dict.fromkeys(parts)}):
        try:
            return msgspec.convert(counts, Tokens)
        except msgspec.ValidationError:
            continue
    return None


def _parts(inside: _InputDetails, made: _OutputDetails) -> dict[str, int | None]:
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
    if parts.get("tool_calls"):
        texts.append(msgspec.json.encode(parts["tool_calls"]).decode())
    return sum(len(text) for text in texts if isinstance(text, str))

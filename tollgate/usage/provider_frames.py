"""The parts of a streamed answer's frames that metering reads, whatever else is in them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tollgate.usage.provider_answers import ProviderAnswer, Usage
from tollgate.usage.salvage import SalvagingDecoder


class CalledTool(msgspec.Struct, frozen=True, gc=False):
    """What the model writes of a call: a function has `arguments`, a custom tool `input`."""

    name: str | None = None
    arguments: str | None = None
    input: str | None = None


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A piece of a tool call."""

    function: CalledTool | None = None
    custom: CalledTool | None = None


class SpokenDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of speech; its sound, `data`, is no text."""

    transcript: str | None = None
    data: str | None = None


class Delta(msgspec.Struct, frozen=True, gc=False):
    """What a chunk of a chat completion adds to a choice."""

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    audio: SpokenDelta | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: CalledTool | None = None


class Choice(msgspec.Struct, frozen=True, gc=False):
    """A choice of a chunk: chat completions bring a `delta`, completions `text`."""

    delta: Delta | None = None
    text: str | None = None


class CompletionFrame(msgspec.Struct, frozen=True, gc=False):
    """A chunk of a streamed chat completion or completion."""

    id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    usage: Usage | None = None
    choices: list[Choice] | None = None
    error: Any | None = None


class EventFrame(msgspec.Struct, frozen=True):
    """An event of every other stream: Responses, images, audio."""

    type: str | None = None
    response: ProviderAnswer | None = None
    delta: str | None = None
    usage: Usage | None = None
    error: Any | None = None


_completion_frames: Final = SalvagingDecoder(CompletionFrame)
_event_frames: Final = SalvagingDecoder(EventFrame)

read_completion_frame: Final = _completion_frames.read
read_event_frame: Final = _event_frames.read


def texts(choice: Choice) -> list[str]:
    """The pieces of text that a choice brings, for an estimate."""
    delta = choice.delta
    if delta is None:
        return [choice.text] if choice.text else []
    found = [text for text in (delta.content, delta.refusal, delta.reasoning_content) if text]
    if delta.audio is not None and delta.audio.transcript:
        found.append(delta.audio.transcript)
    if delta.tool_calls or delta.function_call is not None:
        found += _texts_of_calls(delta)
    return found


def _texts_of_calls(delta: Delta) -> list[str]:
    calls = [delta.function_call]
    for call in delta.tool_calls or ():
        calls += (call.function, call.custom)
    pieces = [(call.name, call.arguments, call.input) for call in calls if call is not None]
    return [text for piece in pieces for text in piece if text]

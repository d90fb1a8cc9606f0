"""Streams of chat/completions and completions, frame by frame, as Azure sends them.

The order: one frame of empty `choices` with `prompt_filter_results` and an empty id; the role;
the pieces; the finish; then, only when asked for, one frame of empty `choices` with usage; then
`[DONE]`. When usage is asked for, every other frame bears `"usage": null`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, TypeAlias

from tollgate.local.simulator.content_filters import choice_filter_results, prompt_filter_results
from tollgate.local.simulator.envelopes import SYSTEM_FINGERPRINT, Envelope
from tollgate.local.simulator.frames import Frame, StreamStyle, data_frame
from tollgate.local.simulator.generation import Choice, Generation
from tollgate.local.simulator.json_types import JsonObject

Dialect: TypeAlias = Literal["chat.completions", "completions"]

_PADDING_CHARACTERS = 24


def chat_frames(
    generation: Generation, envelope: Envelope, style: StreamStyle, dialect: Dialect
) -> Iterator[Frame]:
    """The frames of a stream.

    Args:
        generation: What was generated.
        envelope: What every frame bears.
        style: What was asked for beyond the answer itself.
        dialect: Which of the two APIs.
    """
    return _ChatStream(generation, envelope, style, dialect).frames()


class _ChatStream:
    def __init__(
        self, generation: Generation, envelope: Envelope, style: StreamStyle, dialect: Dialect
    ) -> None:
        self._generation = generation
        self._ids = envelope.ids
        self._style = style
        self._chat = dialect == "chat.completions"
        self._spoken = generation.counts.audio_output > 0
        self._sent = 0
        self._usage: JsonObject = {"usage": None} if style.include_usage else {}
        self._head: JsonObject = {
            "id": envelope.ids.prefixed("chatcmpl-" if self._chat else "cmpl-"),
            "object": "chat.completion.chunk" if self._chat else "text_completion",
            "created": envelope.created,
            "model": envelope.model,
            "service_tier": envelope.service_tier,
            "system_fingerprint": SYSTEM_FINGERPRINT,
        }

    def frames(self) -> Iterator[Frame]:
        choices = self._generation.choices
        filtered: JsonObject = {"choices": [], "prompt_filter_results": prompt_filter_results()}
        yield replace(self._nameless(filtered), early=True)
        if self._chat:
            for choice in choices:
                yield replace(self._frame(choice, self._opening(choice)), early=True)
        for place in range(max(len(choice.pieces) for choice in choices)):
            for choice in choices:
                if place < len(choice.pieces):
                    self._sent += 1
                    yield self._frame(choice, self._delta(choice, choice.pieces[place]))
        for choice in choices:
            yield self._frame(choice, {}, choice.finish_reason)
        yield from self._endings()

    def _endings(self) -> Iterator[Frame]:
        if self._style.late_filter:
            for choice in self._generation.choices:
                yield self._late_filter(choice)
        if self._style.include_usage and self._style.send_usage:
            usage = self._generation.counts.chat_usage()
            yield data_frame({**self._head, "choices": [], "usage": usage}, self._sent)
        yield Frame(b"data: [DONE]\n\n", self._sent)

    def _opening(self, choice: Choice) -> JsonObject:
        if choice.tool is None:
            return {"role": "assistant", "content": "", "refusal": None}
        call = {
            "index": 0,
            "id": self._ids.prefixed("call_", str(choice.index)),
            "type": "function",
            "function": {"name": choice.tool, "arguments": ""},
        }
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}

    def _delta(self, choice: Choice, piece: str) -> JsonObject:
        if choice.tool is not None:
            return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
        if self._spoken:
            spoken_id = self._ids.prefixed("audio_", str(choice.index))
            return {"audio": {"id": spoken_id, "transcript": piece}}
        return {"content": piece}

    def _frame(self, choice: Choice, delta: JsonObject, finish: str | None = None) -> Frame:
        blocked = finish == "content_filter"
        member: JsonObject = {"delta": delta} if self._chat else {"text": delta.get("content", "")}
        shown = {
            "index": choice.index,
            **member,
            "finish_reason": finish,
            "logprobs": None,
            "content_filter_results": choice_filter_results(blocked=True) if blocked else {},
        }
        return data_frame(
            {**self._head, "choices": [shown], **self._usage, **self._padding()}, self._sent
        )

    def _padding(self) -> JsonObject:
        if not self._style.obfuscate:
            return {}
        letters = self._ids.hexadecimal(f"padding{self._sent}")
        return {"obfuscation": letters[: 1 + self._sent % _PADDING_CHARACTERS]}

    def _late_filter(self, choice: Choice) -> Frame:
        end = len(choice.text)
        checked = {
            "index": choice.index,
            "finish_reason": None,
            "content_filter_offsets": {"check_offset": 0, "start_offset": 0, "end_offset": end},
            "content_filter_results": choice_filter_results(blocked=False),
        }
        return self._nameless({"choices": [checked]})

    def _nameless(self, members: JsonObject) -> Frame:
        head: JsonObject = {"id": "", "object": "", "created": 0, "model": ""}
        return data_frame({**head, **members, **self._usage}, self._sent)

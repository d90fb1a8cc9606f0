"""Whole answers of chat/completions and completions."""

from tollgate.local.simulator.content_filters import choice_filter_results, prompt_filter_results
from tollgate.local.simulator.envelopes import SYSTEM_FINGERPRINT, Envelope
from tollgate.local.simulator.generation import Choice, Generation
from tollgate.local.simulator.json_types import JsonObject

_AUDIO_LIFETIME_S = 3600


def chat_answer(generation: Generation, envelope: Envelope) -> JsonObject:
    """The body of a chat completion."""
    spoken = generation.counts.audio_output > 0
    return {
        "id": envelope.ids.prefixed("chatcmpl-"),
        "object": "chat.completion",
        "created": envelope.created,
        "model": envelope.model,
        "choices": [
            {
                "index": choice.index,
                "finish_reason": choice.finish_reason,
                "logprobs": None,
                "message": _message(choice, envelope, spoken=spoken),
                "content_filter_results": _filter_results(choice),
            }
            for choice in generation.choices
        ],
        "prompt_filter_results": prompt_filter_results(),
        "service_tier": envelope.service_tier,
        "system_fingerprint": SYSTEM_FINGERPRINT,
        "usage": generation.counts.chat_usage(),
    }


def completion_answer(generation: Generation, envelope: Envelope) -> JsonObject:
    """The body of a completion of the older API."""
    return {
        "id": envelope.ids.prefixed("cmpl-"),
        "object": "text_completion",
        "created": envelope.created,
        "model": envelope.model,
        "choices": [
            {
                "index": choice.index,
                "text": choice.text,
                "finish_reason": choice.finish_reason,
                "logprobs": None,
                "content_filter_results": _filter_results(choice),
            }
            for choice in generation.choices
        ],
        "prompt_filter_results": prompt_filter_results(),
        "usage": generation.counts.chat_usage(),
    }


def _filter_results(choice: Choice) -> JsonObject:
    return choice_filter_results(blocked=choice.finish_reason == "content_filter")


def _message(choice: Choice, envelope: Envelope, *, spoken: bool) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": choice.text, "refusal": None}
    if choice.tool is not None:
        call = {
            "id": envelope.ids.prefixed("call_", str(choice.index)),
            "type": "function",
            "function": {"name": choice.tool, "arguments": choice.text},
        }
        return {**message, "content": None, "tool_calls": [call]}
    if spoken:
        audio = {
            "id": envelope.ids.prefixed("audio_", str(choice.index)),
            "data": "",
            "transcript": choice.text,
            "expires_at": envelope.created + _AUDIO_LIFETIME_S,
        }
        return {**message, "content": None, "audio": audio}
    return message

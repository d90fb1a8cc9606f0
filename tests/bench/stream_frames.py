"""A streamed chat completion of 50 frames, as Azure OpenAI frames it, ready to be sent."""

from __future__ import annotations

from typing import Any, Final

import msgspec

FRAMES_A_STREAM: Final = 50
FIRST_WORD: Final = b"word0"  # stands in the first frame with content, and nowhere else
HEAD: Final = (
    b"HTTP/1.1 200 OK\r\n"
    b"content-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n"
    b"apim-request-id: 0b1d7b9c-3b53-4a3a-9f0e-6a1d2c0f9b11\r\n"
    b"x-ms-region: West Europe\r\n"
    b"x-ratelimit-remaining-requests: 9999\r\n"
    b"x-ratelimit-remaining-tokens: 9999000\r\n\r\n"
)
END: Final = b"0\r\n\r\n"
_SAFE: Final[dict[str, Any]] = {
    category: {"filtered": False, "severity": "safe"}
    for category in ("hate", "self_harm", "sexual", "violence")
}
_CONTENT_FRAMES: Final = FRAMES_A_STREAM - 4  # role, finish, usage, [DONE]
_USAGE: Final = {
    "prompt_tokens": 187,
    "completion_tokens": _CONTENT_FRAMES,
    "total_tokens": 187 + _CONTENT_FRAMES,
    "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
    "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 0},
}


def chunks() -> list[bytes]:
    """The frames, each an HTTP chunk; [DONE] comes last, `END` goes after it."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += [{"content": f" word{number}"} for number in range(_CONTENT_FRAMES)]
    events = [_event([_choice(delta, None)], None) for delta in deltas]
    events += [_event([_choice({}, "stop")], None), _event([], _USAGE)]
    texts = [msgspec.json.encode(event) for event in events] + [b"[DONE]"]
    return [_chunk(b"data: " + text + b"\n\n") for text in texts]


def _choice(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {
        "content_filter_results": _SAFE if "content" in delta else {},
        "delta": delta,
        "finish_reason": reason,
        "index": 0,
        "logprobs": None,
    }


def _event(choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "choices": choices,
        "created": 1_793_491_200,
        "id": "chatcmpl-CWxYz0123456789abcdefghijkl",
        "model": "gpt-4o-mini-2024-07-18",
        "object": "chat.completion.chunk",
        "system_fingerprint": "fp_efad92c60b",
        "usage": usage,
    }


def _chunk(frame: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(frame), frame)

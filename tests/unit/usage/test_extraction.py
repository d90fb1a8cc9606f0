from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tollgate.usage.extraction import NOTHING_MEASURED, StreamMeter, measure_answer
from tollgate.usage.sse import Frame, SseReader
from tollgate.usage.tokens import Tokens

STREAMS = Path(__file__).parents[2] / "examples" / "streams"


def answer(usage: Any, **members: Any) -> bytes:
    return msgspec.json.encode(
        {"id": "a-1", "model": "gpt-4o-2024-11-20", "usage": usage} | members
    )


def frame(data: Any) -> Frame:
    return Frame(b"", "", data if isinstance(data, bytes) else msgspec.json.encode(data))


def watch(name: str, api: str) -> tuple[StreamMeter, list[str]]:
    meter, reader = StreamMeter(api), SseReader()
    frames = reader.feed((STREAMS / f"{name}.sse").read_bytes()) + reader.end()
    return meter, [meter.see(each) for each in frames]


def test_chat_usage_with_all_details() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 8, "text_tokens": 92},
        "completion_tokens_details": {"reasoning_tokens": 20, "rejected_prediction_tokens": 3},
    }
    measured = measure_answer(answer(usage, service_tier="priority"))
    assert measured.tokens == Tokens(
        input=100, cached_input=64, audio_input=8, output=50, reasoning_output=20
    )
    assert (measured.model, measured.service_tier) == ("gpt-4o-2024-11-20", "priority")


def test_embeddings_have_no_output() -> None:
    measured = measure_answer(answer({"prompt_tokens": 7, "total_tokens": 7}))
    assert measured.tokens == Tokens(input=7, output=0)


def test_responses_usage() -> None:
    usage = {
        "input_tokens": 75,
        "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 10},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 4},
    }
    measured = measure_answer(answer(usage, status="incomplete"))
    assert measured.tokens == Tokens(
        input=75, cached_input=5, cache_write_input=10, output=20, reasoning_output=4
    )
    assert (measured.status, measured.response_id) == ("incomplete", "a-1")


def test_details_that_are_null_are_not_known() -> None:
    measured = measure_answer(
        answer({"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": None})
    )
    assert measured.tokens is not None
    assert measured.tokens.cached_input is None
    assert measured.tokens.reasoning_output == 0


def test_impossible_details_leave_the_totals() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 10},
    }
    tokens = measure_answer(answer(usage)).tokens
    assert tokens is not None
    assert (tokens.input, tokens.output, tokens.cached_input) == (9, 1, None)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": None},
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": 5, "completion_tokens": None},
        {"input_tokens": 5},
    ],
)
def test_counts_that_are_missing_are_not_known_and_not_zero(usage: Any) -> None:
    assert measure_answer(answer(usage)).tokens is None


@pytest.mark.parametrize(
    "odd",
    [
        {"id": 7},
        {"service_tier": []},
        {"choices": [None]},
        {"model": None, "status": 5},
    ],
)
def test_an_odd_member_does_not_hide_the_counts(odd: dict[str, Any]) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    assert measure_answer(answer(usage, **odd)).tokens == Tokens(input=5, output=2)
    meter = StreamMeter("chat.completions")
    meter.see(frame({"choices": [], "usage": usage} | odd))
    assert meter.measurement.tokens == Tokens(input=5, output=2)


def test_a_detail_of_an_odd_type_is_not_known() -> None:
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 1.5, "audio_tokens": 1},
    }
    tokens = measure_answer(answer(usage)).tokens
    assert tokens is not None
    assert (tokens.input, tokens.cached_input, tokens.audio_input) == (5, None, 1)


@pytest.mark.parametrize("nested", [b"[" * 100_000, b'{"usage":' * 100_000])
def test_nesting_without_end_is_no_answer(nested: bytes) -> None:
    assert measure_answer(nested) == NOTHING_MEASURED
    assert StreamMeter("chat.completions").see(frame(nested)) == "other"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"usage": 7}', b"\xff\xfe", b"null"])
def test_nothing_is_measured_in_what_is_no_answer(body: bytes) -> None:
    assert measure_answer(body) == NOTHING_MEASURED


def test_a_chat_stream_is_measured_by_its_usage_frame() -> None:
    meter, kinds = watch("chat_with_usage", "chat.completions")
    assert meter.measurement.tokens == Tokens(input=14, output=12)
    assert meter.measurement.model == "gpt-4o-mini-2024-07-18"
    assert kinds[0] == "other", "the prompt filter's frame has no choices and is no usage frame"
    assert kinds[-2:] == ["usage", "done"]
    assert kinds.count("usage") == 1


def test_a_chat_stream_without_usage_counts_its_characters() -> None:
    meter, kinds = watch("chat_without_usage", "chat.completions")
    assert meter.measurement.tokens is None
    assert meter.output_characters > 0
    assert kinds[-1] == "done"


def test_comments_and_odd_framing_do_not_matter() -> None:
    meter, kinds = watch("chat_crlf_and_comments", "chat.completions")
    assert meter.measurement.tokens == Tokens(input=14, output=6)
    assert "done" in kinds


def test_a_completions_stream_is_measured() -> None:
    meter, _ = watch("completions_with_usage", "completions")
    assert meter.measurement.tokens is not None
    assert meter.output_characters > 0


def test_a_responses_stream_is_measured_by_its_terminal_event() -> None:
    meter, kinds = watch("responses_completed", "responses")
    assert meter.measurement.tokens == Tokens(input=9, output=40)
    assert kinds.count("done") == 1
    assert "content" in kinds


def test_usage_beside_the_last_choice_is_content_that_must_stay() -> None:
    meter = StreamMeter("chat.completions")
    kind = meter.see(
        frame(
            {
                "choices": [{"delta": {"content": "x"}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1},
            }
        )
    )
    assert kind == "content"
    assert meter.measurement.tokens == Tokens(input=1, output=1)


@pytest.mark.parametrize(
    ("api", "data"),
    [
        ("chat.completions", {"error": {"message": "no"}}),
        ("responses", {"type": "error", "code": "x"}),
        ("responses", {"type": "response.failed", "response": {"status": "failed"}}),
        ("responses", {"error": {"message": "no"}}),
        ("images.generations", {"type": "error", "error": {"message": "no"}}),
        ("audio.speech", {"error": {"message": "no"}}),
    ],
)
def test_an_error_frame_is_an_error(api: str, data: Any) -> None:
    assert StreamMeter(api).see(frame(data)) == "error"


def test_a_failed_response_keeps_the_usage_it_states() -> None:
    meter = StreamMeter("responses")
    usage = {"input_tokens": 3, "output_tokens": 2}
    meter.see(frame({"type": "response.failed", "response": {"usage": usage}}))
    assert meter.measurement.tokens == Tokens(input=3, output=2)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "abcd"},
        {"refusal": "abcd"},
        {"audio": {"transcript": "abcd"}},
        {"tool_calls": [{"function": {"name": "f", "arguments": "{x}"}}]},
        {"tool_calls": [{"custom": {"input": "abcd"}}, None, {"function": 7}]},
        {"function_call": {"name": "abcd"}},
        {"content": "abcd", "refusal": 7, "audio": []},
    ],
)
def test_text_refusals_and_tool_calls_are_content(delta: Any) -> None:
    meter = StreamMeter("chat.completions")
    assert meter.see(frame({"choices": [{"delta": delta}]})) == "content"
    assert meter.output_characters == 4


def test_speech_in_a_chat_is_content_but_its_sound_is_no_text() -> None:
    meter = StreamMeter("chat.completions")
    assert meter.see(frame({"choices": [{"delta": {"audio": {"data": "UklGRg=="}}}]})) == "content"
    assert meter.output_characters == 0


def test_every_choice_of_a_frame_is_seen() -> None:
    meter = StreamMeter("chat.completions")
    meter.see(frame({"choices": [{"delta": {"content": "ab"}}, {"text": "c"}, {"delta": None}]}))
    assert meter.output_characters == 3


def test_a_tokenizer_counts_the_streamed_text() -> None:
    meter = StreamMeter("chat.completions", lambda text: len(text.split()))
    for piece in ("one t", "wo ", "three"):
        meter.see(frame({"choices": [{"delta": {"content": piece}}]}))
    assert (meter.output.tokens(), meter.output_characters) == (3, 13)


def test_what_a_frame_says_of_itself_is_kept() -> None:
    meter = StreamMeter("chat.completions")
    for said in ({"id": "", "model": ""}, {"id": "c-1", "model": "m"}, {"service_tier": "flex"}):
        meter.see(frame({"choices": []} | said))
    kept = meter.measurement
    assert (kept.response_id, kept.model, kept.service_tier) == ("c-1", "m", "flex")


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"choices": 5}', b"\xff"])
def test_a_frame_that_is_not_understood_is_passed_on(data: bytes) -> None:
    assert StreamMeter("chat.completions").see(frame(data)) == "other"

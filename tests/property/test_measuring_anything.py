"""Whatever a provider answers is measured or left alone; it never breaks the metering."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tollgate.usage.extraction import StreamMeter, measure_answer
from tollgate.usage.sse import Frame

APIS = ["chat.completions", "responses", "images.edits", "audio.transcriptions"]
MEMBERS = [
    *("usage", "choices", "delta", "content", "tool_calls", "function", "type", "error"),
    *("input_tokens", "output_tokens", "prompt_tokens", "input_tokens_details", "image_tokens"),
    *("response", "output", "container_id", "tool_usage", "image_gen", "seconds", "duration"),
]
SCALARS = st.none() | st.booleans() | st.integers(-9, 2**63) | st.floats(0, 9) | st.text()
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner),
)
ANSWERS = st.dictionaries(st.sampled_from(MEMBERS), ANYTHING)


@given(ANSWERS, st.sampled_from(APIS))
def test_any_answer_is_read(members: dict[str, Any], api: str) -> None:
    measured = measure_answer(msgspec.json.encode(members), api)
    assert all(count >= 0 for count in measured.units.values())


@given(ANSWERS, st.sampled_from(APIS))
def test_any_frame_is_seen(members: dict[str, Any], api: str) -> None:
    meter = StreamMeter(api)
    kind = meter.see(Frame(b"", "", msgspec.json.encode(members)))
    assert kind in {"content", "usage", "done", "error", "other"}
    assert kind == "content" or meter.output_characters == 0


@given(ANSWERS, ANYTHING)
def test_nothing_beside_sound_counts_hides_them(members: dict[str, Any], odd: object) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": odd}
    body = msgspec.json.encode(members | {"usage": usage, "id": odd})
    tokens = measure_answer(body).tokens
    assert tokens is not None
    assert (tokens.input, tokens.output) >= (5, 2)  # a tool's images may add to them

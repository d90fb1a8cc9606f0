from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tollgate.usage.extraction import measure_answer
from tollgate.usage.measurement import NOTHING_MEASURED, Measurement
from tollgate.usage.tokens import Tokens

USAGE = {"input_tokens": 50, "output_tokens": 272}
DRAWN = {"input_tokens": 20, "input_tokens_details": {"image_tokens": 12}, "output_tokens": 200}


def measured(api: str, usage: Any = None, **members: Any) -> Measurement:
    stated = {} if usage is None else {"usage": usage}
    return measure_answer(msgspec.json.encode(stated | members), api)


def response(usage: Any = USAGE, **members: Any) -> Measurement:
    return measured("responses", usage, id="resp_1", **members)


@pytest.mark.parametrize("api", ["images.generations", "images.edits"])
def test_the_output_of_an_images_api_is_images(api: str) -> None:
    details = {"image_tokens": 40, "text_tokens": 10}
    found = measured(api, USAGE | {"input_tokens_details": details}, data=[{"b64_json": "aGk="}])
    assert found.tokens == Tokens(input=50, image_input=40, output=272, image_output=272)
    assert found.images == 1


def test_images_that_state_their_output_apart_are_believed() -> None:
    details = {"image_tokens": 262, "text_tokens": 10}
    found = measured("images.edits", USAGE | {"output_tokens_details": details})
    assert found.tokens == Tokens(input=50, output=272, image_output=262)


@pytest.mark.parametrize("details", [{"image_tokens": 60}, None])
def test_input_details_that_are_no_use_do_not_make_images_text(details: Any) -> None:
    tokens = measured("images.generations", USAGE | {"input_tokens_details": details}).tokens
    assert tokens is not None
    assert (tokens.input, tokens.image_input, tokens.image_output) == (50, None, 272)


@pytest.mark.parametrize(
    ("data", "images"),
    [([{"url": "…"}, {"b64_json": "…"}], 2), ([None], 0), (None, None), ("odd", None)],
)
def test_images_without_usage_are_counted(data: Any, images: int | None) -> None:
    found = measured("images.generations", created=1, data=data)
    assert (found.tokens, found.images) == (None, images)


def test_a_transcription_has_sound_in_its_input() -> None:
    usage = {
        "type": "tokens",
        "input_tokens": 114,
        "input_token_details": {"audio_tokens": 100, "text_tokens": 14},
        "output_tokens": 30,
    }
    found = measured("audio.transcriptions", usage, text="hello", duration=9.5)
    assert (found.tokens, found.units) == (Tokens(input=114, audio_input=100, output=30), {})


@pytest.mark.parametrize(
    ("seconds", "milliseconds"),
    [(9, 9000), (0.1, 100), (8.470000267028809, 8470), (1.0005, 1001), ("12.25", 12250), (0, 0)],
)
def test_seconds_heard_are_milliseconds(seconds: Any, milliseconds: int) -> None:
    by_usage = measured("audio.transcriptions", {"type": "duration", "seconds": seconds})
    verbose = measured("audio.translations", task="translate", duration=seconds)
    assert by_usage.tokens is verbose.tokens is None
    assert by_usage.units == verbose.units == {"milliseconds": milliseconds}


def test_usage_goes_before_the_duration() -> None:
    usage = {"type": "duration", "seconds": 9}
    assert measured("audio.transcriptions", usage, duration=8.47).units == {"milliseconds": 9000}


@pytest.mark.parametrize("seconds", [True, -1, None, "NaN", "Infinity", "x", [], 1e300, "1e999999"])
def test_seconds_that_are_no_time_are_not_known(seconds: Any) -> None:
    assert not measured("audio.transcriptions", {"type": "duration", "seconds": seconds}).units
    assert not measured("audio.transcriptions", duration=seconds).units


@pytest.mark.parametrize("exponent", [b"400", b"999999999999999999999"])
def test_a_number_beyond_every_use_hides_no_count(exponent: bytes) -> None:
    body = b'{"duration": 1e%s, "usage": {"input_tokens": 5, "output_tokens": 1}}' % exponent
    tokens = Tokens(input=5, output=1)
    assert measure_answer(body, "audio.transcriptions").tokens == tokens


@pytest.mark.parametrize(
    "body", [b"hello", b"1\n00:00:00,000 --> 00:00:01,000\nhi", b"WEBVTT\n\n", b"\xff\xfb\x90"]
)
@pytest.mark.parametrize("api", ["audio.transcriptions", "audio.speech"])
def test_plain_text_and_sound_state_nothing(body: bytes, api: str) -> None:
    assert measure_answer(body, api) == NOTHING_MEASURED


def test_calls_of_tools_are_units() -> None:
    output = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page", "url": "…"}},
        {"type": "web_search_call", "action": 7},
        {"type": "file_search_call", "results": None},
        {"type": "code_interpreter_call", "container_id": "cntr_1", "code": "1"},
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "code_interpreter_call", "container_id": "cntr_2"},
        {"type": "message", "content": [{"type": "output_text", "text": "…"}]},
        {"type": 7},
        None,
    ]
    assert response(output=output, status="completed").units == {
        "web_search_calls": 2,
        "file_search_calls": 1,
        "code_interpreter_sessions": 2,
    }


@pytest.mark.parametrize(
    ("requests", "units"),
    [
        (3, {"web_search_calls": 3}),
        (0, {}),
        ("3", {"web_search_calls": 1}),
        (-1, {"web_search_calls": 1}),
    ],
)
def test_the_responses_own_count_of_web_searches_goes_first(
    requests: Any, units: dict[str, int]
) -> None:
    found = response(
        output=[{"type": "web_search_call"}], tool_usage={"web_search": {"num_requests": requests}}
    )
    assert found.units == units


def test_tokens_of_the_image_tool_are_added_to_the_counts() -> None:
    usage = USAGE | {"input_tokens_details": {"cached_tokens": 30}}
    found = response(usage, tool_usage={"image_gen": DRAWN, "web_search": {"num_requests": 0}})
    assert found.tokens == Tokens(
        input=70, cached_input=30, image_input=12, output=472, image_output=200
    )


def test_what_the_image_tool_had_cached_is_cached() -> None:
    drawn = DRAWN | {"cached_tokens": 9, "cached_tokens_details": {"cached_image_tokens": 4}}
    usage = USAGE | {"input_tokens_details": {"cached_tokens": 30}}
    tokens = response(usage, tool_usage={"image_gen": drawn}).tokens
    assert tokens is not None
    assert (tokens.input, tokens.cached_input, tokens.cached_image_input) == (70, 39, 4)


def test_more_cached_than_there_was_does_not_hide_the_image_tool() -> None:
    tokens = response(tool_usage={"image_gen": DRAWN | {"cached_tokens": 99}}).tokens
    assert tokens == Tokens(input=70, image_input=12, output=472, image_output=200)


def test_parts_that_are_not_known_stay_so_beside_the_image_tool() -> None:
    usage = USAGE | {"input_tokens_details": None}
    tokens = response(usage, tool_usage={"image_gen": DRAWN}).tokens
    assert tokens is not None
    assert (tokens.input, tokens.cached_input, tokens.image_input) == (70, None, None)
    assert tokens.image_output == 200


@pytest.mark.parametrize(
    "image_gen", [None, {}, 7, {"input_tokens": 1}, DRAWN | {"output_tokens": 10**12}]
)
def test_an_image_tool_that_states_nothing_sound_changes_nothing(image_gen: Any) -> None:
    found = response(tool_usage={"image_gen": image_gen})
    assert found.tokens == Tokens(input=50, output=272)


@pytest.mark.parametrize("status", ["queued", "in_progress", "failed", "cancelled"])
def test_a_response_without_usage_is_not_measured(status: str) -> None:
    found = response(None, status=status, output=[{"type": "web_search_call"}])
    assert (found.tokens, found.units, found.status) == (None, {}, status)


@pytest.mark.parametrize("status", ["failed", "cancelled", "incomplete"])
def test_a_response_that_ended_early_counts_what_it_states(status: str) -> None:
    assert response(status=status).tokens == Tokens(input=50, output=272)

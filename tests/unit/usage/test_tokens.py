from __future__ import annotations

import msgspec
import pytest

from tollgate.usage.tokens import MAX_COUNT, Tokens, leaves


def decode(text: str) -> Tokens:
    return msgspec.json.decode(text, type=Tokens)


@pytest.mark.parametrize(
    "wrong",
    ["-1", "1.0", "1e2", "true", '"1"', "null", str(MAX_COUNT + 1), "1" * 40],
)
def test_a_count_that_is_not_a_whole_number_within_bounds_is_refused(wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(f'{{"input": {wrong}, "output": 0}}')


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"input": 10, "cached_input": 11}, "cached_input: 11 is more than input: 10"),
        ({"output": 10, "reasoning_output": 11}, "reasoning_output: 11 is more than output: 10"),
        (
            {"input": 10, "cached_input": 6, "audio_input": 6},
            "the parts together: 12 is more than input: 10",
        ),
        (
            {"output": 10, "reasoning_output": 6, "audio_output": 6},
            "the parts together: 12 is more than output: 10",
        ),
        (
            {"input": 9, "cached_input": 3, "cached_audio_input": 4, "audio_input": 5},
            "cached_audio_input: 4 is more than cached_input: 3",
        ),
        (
            {
                "input": 99,
                "cached_input": 5,
                "audio_input": 4,
                "image_input": 4,
                "cached_audio_input": 4,
                "cached_image_input": 4,
            },
            "cached audio and image together: 8 is more than cached_input: 5",
        ),
    ],
)
def test_a_part_cannot_exceed_its_whole(counts: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Tokens(**{"input": 0, "output": 0, **counts})


def test_overlaps_are_counted_once() -> None:
    tokens = Tokens(
        input=900,
        cached_input=512,
        audio_input=700,
        cached_audio_input=400,
        output=300,
        audio_output=240,
    )
    assert leaves(tokens) == {
        "input": 88,
        "cached_input": 112,
        "audio_input": 300,
        "cached_audio_input": 400,
        "output": 60,
        "audio_output": 240,
    }


def test_a_part_that_is_not_known_is_charged_as_its_whole() -> None:
    tokens = decode('{"input": 10, "output": 5, "cached_input": null}')
    assert tokens.cached_input is None
    assert leaves(tokens) == {"input": 10, "output": 5}


def test_an_absent_part_is_zero() -> None:
    assert decode('{"input": 10, "output": 5}').cached_input == 0

from __future__ import annotations

from typing import Any

import pytest

from tollgate.usage.estimate import (
    SLICE_CHARACTERS,
    TOKENIZED_CHARACTERS,
    TextTally,
    estimate_prompt,
    estimate_tokens,
    estimated_counts,
    prompt_characters,
)
from tollgate.usage.tokens import Tokens


def test_four_characters_are_a_token_rounded_up() -> None:
    assert estimate_tokens(9, 4) == Tokens(input=3, output=1, cached_input=None)
    assert estimate_tokens(0, 0) == Tokens(input=0, output=0, cached_input=None)


@pytest.mark.parametrize(
    ("request_body", "characters"),
    [
        ({"messages": [{"role": "user", "content": "four"}]}, 4),
        ({"messages": [{"content": [{"type": "text", "text": "four"}, {"type": "image_url"}]}]}, 4),
        ({"input": ["ab", "cd"]}, 4),
        ({"prompt": "four", "max_tokens": 9}, 4),
        ({"messages": 7, "input": None}, 0),
        ({"prompt": [1, 2]}, 8),
        ({"input": [[1], [2, 3]]}, 12),
        ({"prompt": [True, 1.5]}, 0),
        ({"prompt": [1, True, "ab", 2]}, 10),
        ({"input": list(range(300_000))}, 1_200_000),
        ({}, 0),
    ],
)
def test_all_text_and_all_token_ids_of_a_prompt_are_counted(
    request_body: dict[str, Any], characters: int
) -> None:
    assert prompt_characters(request_body) == characters


def words(text: str) -> int:
    return len(text.split())


def test_counts_that_were_estimated_do_not_know_what_was_cached() -> None:
    assert estimated_counts(3, 1) == Tokens(input=3, output=1, cached_input=None)


def test_a_tally_without_a_tokenizer_goes_by_characters() -> None:
    tally = TextTally()
    for piece in ("abc", "", "de"):
        tally.add(piece)
    assert (tally.characters, tally.tokens()) == (5, 2)


def test_a_word_that_comes_in_pieces_is_counted_once() -> None:
    tally = TextTally(words)
    for piece in ("one t", "wo", " three"):
        tally.add(piece)
    assert (tally.tokens(), tally.tokens()) == (3, 3)


def test_a_tally_goes_on_after_it_was_asked() -> None:
    tally = TextTally(words)
    tally.add("one ")
    assert tally.tokens() == 1
    tally.add("two")
    assert tally.tokens() == 2


def test_a_tally_spends_bounded_time_and_goes_by_characters_then() -> None:
    seen: list[int] = []

    def one_a_slice(text: str) -> int:
        seen.append(len(text))
        return 1

    tally = TextTally(one_a_slice)
    for piece in ("x" * (TOKENIZED_CHARACTERS - 1), "y" * 101, "z"):
        tally.add(piece)
    assert tally.tokens() == len(seen) + 101 // 4 + 1
    assert sum(seen) == TOKENIZED_CHARACTERS
    assert tally.characters == TOKENIZED_CHARACTERS + 101


def test_a_tally_hands_bounded_slices_to_its_tokenizer() -> None:
    seen: list[int] = []

    def count_tokens(text: str) -> int:
        seen.append(len(text))
        return len(text)

    tally = TextTally(count_tokens)
    for piece in ("x" * (SLICE_CHARACTERS - 1), "y" * SLICE_CHARACTERS * 3, "z"):
        tally.add(piece)
    assert sum(seen) == tally.characters - 1, "what is full is counted at once"
    assert tally.tokens() == tally.characters == SLICE_CHARACTERS * 4
    assert max(seen) == SLICE_CHARACTERS


@pytest.mark.parametrize(
    ("request_body", "tokens"),
    [
        ({"messages": [{"content": "one two"}, {"content": [{"text": " three"}]}]}, 3),
        ({"input": [[1], [2, 3]], "instructions": "one"}, 4),
        ({"prompt": None}, 0),
    ],
)
def test_a_prompt_is_counted_by_the_tokenizer(request_body: dict[str, Any], tokens: int) -> None:
    assert estimate_prompt(request_body, words) == tokens


def test_a_prompt_without_a_tokenizer_is_counted_by_its_characters() -> None:
    assert estimate_prompt({"prompt": "fours"}) == 2
    assert estimate_prompt({"prompt": [1, 2]}) == 2


def test_a_prompt_may_be_nested_deeply() -> None:
    nested: object = "four"
    for _ in range(10_000):
        nested = {"content": [nested]}
    assert prompt_characters({"messages": nested}) == 4

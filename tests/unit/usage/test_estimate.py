from __future__ import annotations

from typing import Any

import pytest

from tollgate.usage.estimate import estimate_tokens, prompt_characters
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
        ({}, 0),
    ],
)
def test_all_text_and_all_token_ids_of_a_prompt_are_counted(
    request_body: dict[str, Any], characters: int
) -> None:
    assert prompt_characters(request_body) == characters

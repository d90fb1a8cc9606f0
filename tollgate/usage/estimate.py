"""Counts for when the provider's are out of reach: from characters, and marked as estimated."""

from __future__ import annotations

from typing import Any, Final, cast

from tollgate.usage.tokens import Tokens

# English text runs at about four characters a token in the provider's vocabularies.
CHARACTERS_PER_TOKEN: Final = 4

_PROMPT_MEMBERS: Final = ("messages", "input", "prompt", "instructions", "tools", "suffix")
_TEXT_MEMBERS: Final = ("content", "text", "name", "arguments", "description", "output")


def estimate_tokens(prompt_characters: int, output_characters: int) -> Tokens:
    """Tokens for so many characters, rounded up; what part was cached is not known."""
    return Tokens(
        input=-(-prompt_characters // CHARACTERS_PER_TOKEN),
        output=-(-output_characters // CHARACTERS_PER_TOKEN),
        cached_input=None,
    )


def prompt_characters(request: dict[str, Any]) -> int:
    """The characters of text in a request's prompt; images and audio are not counted.

    A prompt given as token ids counts as so many tokens' characters.
    """
    return sum(_text_length(request.get(member)) for member in _PROMPT_MEMBERS)


def _item_length(item: object) -> int:
    is_token_id = isinstance(item, int) and not isinstance(item, bool)
    return CHARACTERS_PER_TOKEN if is_token_id else _text_length(item)


def _text_length(part: object) -> int:
    if isinstance(part, str):
        return len(part)
    if isinstance(part, list):
        return sum(map(_item_length, cast("list[object]", part)))
    if isinstance(part, dict):
        members = cast("dict[str, object]", part)
        return sum(_text_length(members.get(member)) for member in _TEXT_MEMBERS)
    return 0

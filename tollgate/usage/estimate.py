"""Counts for when the provider's are out of reach: marked as estimated.

With a tokenizer they are counted, without one they follow from the number of characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from tollgate.usage.tokens import Tokens

# English text runs at about four characters a token in the provider's vocabularies.
CHARACTERS_PER_TOKEN: Final = 4
SLICE_CHARACTERS: Final = 8 * 1024
# The rest of a longer text goes by its characters: while a tokenizer runs, nothing else does.
TOKENIZED_CHARACTERS: Final = 1024 * 1024

_PROMPT_MEMBERS: Final = ("messages", "input", "prompt", "instructions", "tools", "suffix")
_TEXT_MEMBERS: Final = ("content", "text", "name", "arguments", "description", "output")


class TextTally:
    """Counts text that comes in pieces, and forgets it.

    Args:
        count_tokens: The tokenizer; text is gathered up to `SLICE_CHARACTERS` for it, so that a
            word that comes in pieces is counted as one. Without it no text is kept at all. What
            comes after `TOKENIZED_CHARACTERS` goes by its characters.

    Attributes:
        characters: The length of all text.
    """

    def __init__(self, count_tokens: Callable[[str], int] | None = None) -> None:
        self.characters = 0
        self._count_tokens = count_tokens
        self._pieces: list[str] = []
        self._gathered = 0
        self._tokenized = 0
        self._counted = 0

    def add(self, text: str) -> None:
        """Count `text` to what came before."""
        self.characters += len(text)
        if self._count_tokens is None or self._tokenized == TOKENIZED_CHARACTERS:
            return
        text = text[: TOKENIZED_CHARACTERS - self._tokenized]
        self._tokenized += len(text)
        self._pieces.append(text)
        self._gathered += len(text)
        if self._gathered >= SLICE_CHARACTERS:
            self._count_gathered(self._count_tokens)

    def tokens(self) -> int:
        """An estimate of the tokens so far."""
        if self._count_tokens is not None:
            self._count_gathered(self._count_tokens)
        rest = self.characters - self._tokenized
        return self._counted + -(-rest // CHARACTERS_PER_TOKEN)

    def _count_gathered(self, count_tokens: Callable[[str], int]) -> None:
        text = "".join(self._pieces)
        slices = range(0, len(text), SLICE_CHARACTERS)
        self._counted += sum(count_tokens(text[at : at + SLICE_CHARACTERS]) for at in slices)
        self._pieces.clear()
        self._gathered = 0


def estimate_tokens(prompt_characters: int, output_characters: int) -> Tokens:
    """Tokens for so many characters, rounded up; what part was cached is not known."""
    return estimated_counts(
        -(-prompt_characters // CHARACTERS_PER_TOKEN), -(-output_characters // CHARACTERS_PER_TOKEN)
    )


def estimated_counts(prompt_tokens: int, output_tokens: int) -> Tokens:
    """Tokens as estimated, for example by `estimate_prompt` and `TextTally`; cached: not known."""
    return Tokens(input=prompt_tokens, output=output_tokens, cached_input=None)


def prompt_characters(request: Mapping[str, Any]) -> int:
    """The characters of text in a request's prompt; images and audio are not counted.

    A prompt given as token ids counts as so many tokens' characters.
    """
    return sum(
        len(part) if isinstance(part, str) else part * CHARACTERS_PER_TOKEN
        for part in _parts(request)
    )


def estimate_prompt(
    request: Mapping[str, Any], count_tokens: Callable[[str], int] | None = None
) -> int:
    """The tokens of a request's prompt; images and audio are not counted.

    Args:
        request: The members of the request's body.
        count_tokens: The tokenizer; without it four characters are a token.
    """
    token_ids, tally = 0, TextTally(count_tokens)
    for part in _parts(request):
        if isinstance(part, str):
            tally.add(part)
        else:
            token_ids += part
    return token_ids + tally.tokens()


def _parts(request: Mapping[str, Any]) -> Iterator[str | int]:
    """Every text of the prompt, and how many token ids stand together, in order.

    It walks with a stack of its own, since a request may be nested as deeply as it likes.
    """
    ahead: list[object] = [request.get(member) for member in reversed(_PROMPT_MEMBERS)]
    while ahead:
        part = ahead.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, list) and {*map(type, cast("list[object]", part))} == {int}:
            yield len(cast("list[object]", part))  # there may be millions
        elif isinstance(part, list):
            ahead += [_item(item) for item in reversed(cast("list[object]", part))]
        elif isinstance(part, dict):
            members = cast("dict[str, object]", part)
            ahead += [members.get(member) for member in reversed(_TEXT_MEMBERS)]
        elif isinstance(part, _TokenId):
            yield 1


class _TokenId:
    """Stands for a number in a list; a number elsewhere is no token."""


_TOKEN_ID: Final = _TokenId()


def _item(item: object) -> object:
    return _TOKEN_ID if isinstance(item, int) and not isinstance(item, bool) else item

"""Token counts as the provider states them, and the disjoint leaves that the ledger adds up."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

MAX_COUNT: Final = 10**12
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]

# part -> the wholes that it lies inside
_INSIDE: Final = {
    "cached_input": ("input",),
    "cache_write_input": ("input",),
    "audio_input": ("input",),
    "image_input": ("input",),
    "cached_audio_input": ("cached_input", "audio_input"),
    "cached_image_input": ("cached_input", "image_input"),
    "reasoning_output": ("output",),
    "audio_output": ("output",),
    "image_output": ("output",),
}


class Tokens(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Inclusive counts: each part is inside `input` or `output`.

    A part that is absent is 0; a part that is None is not known. Decoding refuses bools, floats,
    negatives and counts over 10**12.

    Raises:
        ValueError: A part is greater than its whole, or the parts add up to more than it.
    """

    input: Count
    output: Count
    cached_input: Count | None = 0
    cache_write_input: Count | None = 0
    audio_input: Count | None = 0
    image_input: Count | None = 0
    cached_audio_input: Count | None = 0
    cached_image_input: Count | None = 0
    reasoning_output: Count | None = 0
    audio_output: Count | None = 0
    image_output: Count | None = 0

    def __post_init__(self) -> None:
        if self.has_no_overlaps():
            return
        for part, wholes in _INSIDE.items():
            for whole in wholes:
                _check(part, getattr(self, part), whole, getattr(self, whole))
        cached = (self.cached_audio_input or 0) + (self.cached_image_input or 0)
        _check("cached audio and image together", cached, "cached_input", self.cached_input)
        _check("the parts together", sum(_input_parts(self).values()), "input", self.input)
        _check("the parts together", sum(_output_parts(self).values()), "output", self.output)

    def has_no_overlaps(self) -> bool:
        """Whether the only parts are those that most answers have, and these are possible."""
        return (
            not self.cache_write_input
            and not self.audio_input
            and not self.image_input
            and not self.cached_audio_input
            and not self.cached_image_input
            and not self.audio_output
            and not self.image_output
            and (self.cached_input or 0) <= self.input
            and (self.reasoning_output or 0) <= self.output
        )


def leaves(tokens: Tokens) -> dict[str, int]:
    """Split inclusive counts into disjoint leaves that add up to `input` + `output`.

    A part that is not known stays in the leaf of its whole, so it is charged as such. Reasoning
    has a leaf of its own here; a price list may fold it into `output`.

    Returns:
        Leaf name to count, zero counts left out.
    """
    split = _usual_split(tokens) if tokens.has_no_overlaps() else _split(tokens)
    return {leaf: count for leaf, count in split.items() if count}


def _usual_split(tokens: Tokens) -> dict[str, int]:
    cached, reasoning = tokens.cached_input or 0, tokens.reasoning_output or 0
    return {
        "input": tokens.input - cached,
        "cached_input": cached,
        "output": tokens.output - reasoning,
        "reasoning_output": reasoning,
    }


def _split(tokens: Tokens) -> dict[str, int]:
    inputs, outputs = _input_parts(tokens), _output_parts(tokens)
    return {
        "input": tokens.input - sum(inputs.values()),
        **inputs,
        "output": tokens.output - sum(outputs.values()),
        **outputs,
    }


def _input_parts(tokens: Tokens) -> dict[str, int]:
    """The leaves inside `input` but the rest, overlaps counted once."""
    cached_audio, cached_image = tokens.cached_audio_input or 0, tokens.cached_image_input or 0
    return {
        "cached_input": max((tokens.cached_input or 0) - cached_audio - cached_image, 0),
        "cache_write_input": tokens.cache_write_input or 0,
        "audio_input": max((tokens.audio_input or 0) - cached_audio, 0),
        "image_input": max((tokens.image_input or 0) - cached_image, 0),
        "cached_audio_input": cached_audio,
        "cached_image_input": cached_image,
    }


def _output_parts(tokens: Tokens) -> dict[str, int]:
    return {
        "reasoning_output": tokens.reasoning_output or 0,
        "audio_output": tokens.audio_output or 0,
        "image_output": tokens.image_output or 0,
    }


def _check(part: str, inner: int | None, whole: str, outer: int | None) -> None:
    if inner is not None and outer is not None and inner > outer:
        raise ValueError(f"{part}: {inner} is more than {whole}: {outer}")


NO_TOKENS: Final = Tokens(input=0, output=0)

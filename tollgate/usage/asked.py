"""What is billed by what was asked for, of the APIs whose answers state no usage.

dall-e answers are priced an image, by size and quality; speech by the characters that were sent.
Sizes and qualities are those of the Azure OpenAI images reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tollgate.usage.tokens import MAX_COUNT

_IMAGES: Final = frozenset({"images.generations", "images.edits"})
_DEFAULT_SIZE: Final = "1024x1024"
_DEFAULT_QUALITY: Final = "standard"
_MAX_NAME: Final = 24  # two of them and what stands before them make a valid name of a unit
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9_.-]")


def units_asked(
    api: str, members: Mapping[str, object], images: int | None = None
) -> dict[str, int]:
    """The units of a request that was answered without usage; empty for every other API.

    Args:
        api: The API that was asked.
        members: The members of the request, or the fields of its form.
        images: How many images the answer holds; if not known, as many as were asked for.

    Returns:
        `images:<size>:<quality>` for images, `characters` for speech.
    """
    if api in _IMAGES:
        size = _named(members.get("size"), _DEFAULT_SIZE)
        quality = _named(members.get("quality"), _DEFAULT_QUALITY)
        return {f"images:{size}:{quality}": _asked(members.get("n")) if images is None else images}
    text = members.get("input")
    return {"characters": len(text)} if api == "audio.speech" and isinstance(text, str) else {}


def _named(value: object, default: str) -> str:
    """A client's word as part of a unit's name, whatever it wrote."""
    if not isinstance(value, str) or not value:
        return default
    return _NOT_IN_NAMES.sub("_", value.lower()[:_MAX_NAME])


def _asked(count: object) -> int:
    """The images asked for: a number, or in a form its digits; one if it is left out."""
    if isinstance(count, str) and re.fullmatch(r"[0-9]{1,9}", count):
        count = int(count)
    if isinstance(count, int) and not isinstance(count, bool) and 0 < count <= MAX_COUNT:
        return count
    return 1

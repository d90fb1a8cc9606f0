"""Reads the names that Azure gives its OpenAI meters, such as `gpt 4o 1120 cached Inp glbl Tokens`.

The names follow no written grammar: words and hyphens in any order, and many abbreviations. What
has a word that is not known here is not read at all, rather than read as something else.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

_SCOPES: Final = {
    "regional": "regnl|rgnl|regional|regn|rg",
    "data_zone": "dz|dzone|datazone",
    "global": "glbl|gl|global",
}
_WORDS: Final = {
    "cached": "cchd|ccchd|cached|cd|ch",
    "write": "wr|write",
    "input": "inp|inpt|input|in",
    "output": "outp|outpt|opt|out|output",
    "audio": "aud|audio",
    "image": "img|image",
    "text": "txt|text",
    "priority": "pp",
    "flex": "fl|flex",
    "default": "std",
    "batch": "batch|bat",
    "long": "longco|loco",
    "short": "shortco|shco",
    **_SCOPES,
}
_MEANING: Final = {word: meaning for meaning, words in _WORDS.items() for word in words.split("|")}
_OTHER: Final = re.compile(
    "ft|finetuned|dev|training|trng|hstng|hosting|grader|grdr|rft|provisioned|managed|unit|rt"
    "|realtime|realtimeprvw|session|search|computer|hour|hours"
)
_TIERS: Final = ("default", "priority", "flex")
_TOGETHER: Final = ("data zone", "gpt image", "text embedding")
_GENERATION: Final = re.compile(r"[0-9](\.[0-9])?(-|$)|4o")
_NOISE: Final = frozenset({"tokens", "token", "1m", "1k"})
_STAMP: Final = re.compile(r"[0-9]{4,}")
# Month and day of the model versions that Azure's names carry, with the year that they lack.
_VERSIONS: Final = {
    ("gpt-4o", "0513"): "2024-05-13",
    ("gpt-4o", "0806"): "2024-08-06",
    ("gpt-4o", "1120"): "2024-11-20",
    ("gpt-4o-mini", "0718"): "2024-07-18",
    ("o1", "1217"): "2024-12-17",
    ("o3-mini", "0131"): "2025-01-31",
    ("o3", "0416"): "2025-04-16",
    ("o4-mini", "0416"): "2025-04-16",
}


class MeterName(msgspec.Struct, frozen=True, kw_only=True):
    """What a name says.

    Args:
        model: As deployments call it.
        model_version: None if the name has none.
        meter: The token leaf.
        scope: `regional`, `data_zone` or `global`.
        deployment_type: `standard` or `batch`.
        service_tier: `default`, `priority` or `flex`.
        long_prompt: Whether it is the price of long prompts alone.
    """

    model: str
    model_version: str | None
    meter: str
    scope: str
    deployment_type: Literal["standard", "batch"]
    service_tier: str
    long_prompt: bool


def read_meter(name: str) -> MeterName | None:
    """What a meter's name says; None if it is not all understood."""
    words = [word for word in _words(name) if word not in _NOISE]
    if any(_OTHER.fullmatch(word) for word in words):
        return None
    said = [_MEANING[word] for word in words if word in _MEANING]
    rest = [word for word in words if word not in _MEANING]
    stamps = [word for word in rest if _STAMP.fullmatch(word)]
    model = _model([word for word in rest if word not in stamps])
    version = _VERSIONS.get((model, "".join(stamps)))
    meter = _meter({*said}, model)
    scopes = [each for each in said if each in _SCOPES]
    tiers = [each for each in said if each in _TIERS] or [_TIERS[0]]
    once = len({*said}) == len(said) and len(scopes) == len(tiers) == 1
    if not once or not model or meter is None or (stamps and not version):
        return None
    return MeterName(
        model=model,
        model_version=version,
        meter=meter,
        scope=scopes[0],
        deployment_type="batch" if "batch" in said else "standard",
        service_tier=tiers[0],
        long_prompt="long" in said,
    )


def named_version(model: str | None, version: str | None) -> str | None:
    """The version of a model, if Azure's names of its meters may have it; else None."""
    return (
        version if any(_VERSIONS[key] == version and key[0] == model for key in _VERSIONS) else None
    )


def _words(name: str) -> list[str]:
    """Small letters, at spaces and hyphens; what belongs together stays together."""
    text = name.lower().replace("-", " ")
    for together in _TOGETHER:
        text = text.replace(together, together.replace(" ", ""))
    return text.split()


def _model(words: list[str]) -> str:
    """The model as deployments call it; Azure leaves `gpt` out of some names."""
    name = "-".join(words)
    if _GENERATION.match(name):
        return f"gpt-{name}"
    for together in _TOGETHER:
        name = name.replace(together.replace(" ", ""), together.replace(" ", "-"))
    return "" if name[:1].isdigit() else name


def _meter(said: set[str], model: str) -> str | None:
    """The token leaf, if there is one that the words mean."""
    kinds = [each for each in ("audio", "image") if each in said]
    if len(kinds) + ("text" in said) > 1 or {"input", "output"} <= said:
        return None
    kind = f"{kinds[0]}_" if kinds else ""
    if "output" in said:
        return None if said & {"cached", "write"} else f"{kind}output"
    if "write" in said:
        return "cache_write_input" if "cached" in said and not kinds else None
    if "cached" in said:
        return f"cached_{kind}input"
    known = "input" in said or model.startswith("text-embedding")
    return f"{kind}input" if known else None

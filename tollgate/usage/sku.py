"""The SKU of usage: every thing that a price or an explanation of it depends on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

import msgspec

from tollgate.usage.event import Provenance, UsageData

# Models price long prompts apart; these are the fixed limits, in input tokens.
PROMPT_BAND_LIMITS: Final = (32_000, 128_000, 200_000, 272_000, 512_000)
_BANDS: Final = (
    *(f"{low}-{high}" for low, high in pairwise((0, *PROMPT_BAND_LIMITS))),
    f"{PROMPT_BAND_LIMITS[-1]}+",
)


class Sku(msgspec.Struct, frozen=True, kw_only=True):
    """What was consumed, without who consumed it. None is not known."""

    model: str | None
    model_version: str | None
    deployment: str | None
    backend: str | None
    region: str | None
    deployment_type: str | None
    scope: str | None
    service_tier: str | None
    provenance: Provenance
    prompt_band: str | None


def prompt_band(input_tokens: int) -> str:
    """The band of a prompt, named by its limits: `0-32000`, …, `512000+`.

    A prompt of exactly a limit lies in the band below it.
    """
    return _BANDS[bisect_left(PROMPT_BAND_LIMITS, input_tokens)]


def sku_values(data: UsageData) -> tuple[str | None, ...]:
    """The SKU that an event's usage is booked under, as the values of its fields in order."""
    return (
        data.model,
        data.model_version,
        data.deployment,
        data.backend,
        data.region,
        data.deployment_type,
        data.scope,
        data.service_tier,
        data.provenance,
        prompt_band(data.tokens.input) if data.tokens else None,
    )


def sku_from(values: Iterable[Any]) -> Sku:
    """The SKU of these values, all of its fields in order."""
    return Sku(**dict(zip(Sku.__struct_fields__, values, strict=True)))


def sku_of(data: UsageData) -> Sku:
    """The SKU that an event's usage is booked under."""
    return sku_from(sku_values(data))

"""The SKU of usage: every thing that a price or an explanation of it depends on."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec

from tollgate.usage.event import Provenance, UsageData

# Models price long prompts apart; these are the fixed limits, in input tokens.
PROMPT_BAND_LIMITS: Final = (32_000, 128_000, 200_000, 272_000, 512_000)


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
    for low, high in pairwise((0, *PROMPT_BAND_LIMITS)):
        if input_tokens <= high:
            return f"{low}-{high}"
    return f"{PROMPT_BAND_LIMITS[-1]}+"


def sku_of(data: UsageData) -> Sku:
    """The SKU that an event's usage is booked under."""
    return Sku(
        model=data.model,
        model_version=data.model_version,
        deployment=data.deployment,
        backend=data.backend,
        region=data.region,
        deployment_type=data.deployment_type,
        scope=data.scope,
        service_tier=data.service_tier,
        provenance=data.provenance,
        prompt_band=prompt_band(data.tokens.input) if data.tokens else None,
    )

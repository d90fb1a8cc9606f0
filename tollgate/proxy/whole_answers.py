"""What an answer that was not streamed has used."""

from __future__ import annotations

from typing import Final

import msgspec

from tollgate.proxy.deliveries import SoundDelivery, WholeDelivery
from tollgate.proxy.metering import Outcome
from tollgate.proxy.prompts import CountTokens, Prompt
from tollgate.proxy.refusals import is_content_filter
from tollgate.usage.asked import units_asked
from tollgate.usage.estimate import estimated_counts
from tollgate.usage.event import Provenance
from tollgate.usage.extraction import NOTHING_MEASURED, Measurement, measure_answer
from tollgate.usage.tokens import NO_TOKENS, Tokens

_BAD_REQUEST: Final = 400
_UNFINISHED: Final = frozenset({"queued", "in_progress"})


def outcome_of(
    delivery: WholeDelivery, api: str, prompt: Prompt, count_tokens: CountTokens | None = None
) -> Outcome:
    """The outcome of a delivered answer.

    A prompt that the content filter blocked is billed by the provider although the answer has no
    usage, so it is estimated. A response that still runs in the background is pending. Where the
    provider counts what was asked for (pictures, characters to speak) and says nothing of it, that
    is what we count, and it is an estimate.
    """
    provenance: Provenance = "none"
    tokens: Tokens | None = NO_TOKENS
    measured = NOTHING_MEASURED
    if delivery.status < _BAD_REQUEST:
        measured = measure_answer(delivery.body, api)
        provenance, tokens, measured = _success(measured, api, prompt)
    elif delivery.status == _BAD_REQUEST and is_content_filter(delivery.body):
        provenance, tokens = "estimated", estimated_counts(prompt.tokens(count_tokens), 0)
    return Outcome(
        provenance=provenance,
        tokens=tokens,
        status=delivery.status,
        target=delivery.target,
        measurement=measured,
        attempts=delivery.attempts,
    )


def outcome_of_sound(delivery: SoundDelivery, api: str, prompt: Prompt) -> Outcome:
    """The outcome of sound, which says nothing of its usage: what was asked for."""
    provenance, tokens, measured = _success(NOTHING_MEASURED, api, prompt)
    return Outcome(
        provenance=provenance,
        tokens=tokens,
        status=delivery.status,
        target=delivery.target,
        measurement=measured,
        attempts=delivery.attempts,
    )


def _success(
    measured: Measurement, api: str, prompt: Prompt
) -> tuple[Provenance, Tokens | None, Measurement]:
    if measured.tokens is not None or measured.units:
        return "measured", measured.tokens, measured
    if measured.status in _UNFINISHED:
        return "pending", None, measured
    if units := units_asked(api, prompt.members, measured.images):
        return "estimated", None, msgspec.structs.replace(measured, units=units)
    return "unknown", None, measured

"""What an answer that was not streamed has used."""

from __future__ import annotations

from typing import Final

from tollgate.proxy.attempt import WholeDelivery
from tollgate.proxy.metering import Outcome
from tollgate.proxy.refusals import is_content_filter
from tollgate.proxy.upstream_requests import Prompt
from tollgate.usage.estimate import estimate_tokens
from tollgate.usage.event import Provenance
from tollgate.usage.extraction import NOTHING_MEASURED, Measurement, measure_answer
from tollgate.usage.tokens import NO_TOKENS, Tokens

_BAD_REQUEST: Final = 400
_UNFINISHED: Final = frozenset({"queued", "in_progress"})


def outcome_of(delivery: WholeDelivery, prompt: Prompt) -> Outcome:
    """The outcome of a delivered answer.

    A prompt that the content filter blocked is billed by the provider although the answer has no
    usage, so it is estimated. A response that still runs in the background is pending.
    """
    succeeded = delivery.status < _BAD_REQUEST
    measurement = measure_answer(delivery.body) if succeeded else NOTHING_MEASURED
    provenance, tokens = (
        _success(measurement) if succeeded else _failure(delivery.status, delivery.body, prompt)
    )
    return Outcome(
        provenance=provenance,
        tokens=tokens,
        status=delivery.status,
        target=delivery.target,
        measurement=measurement,
        attempts=delivery.attempts,
    )


def _success(measurement: Measurement) -> tuple[Provenance, Tokens | None]:
    if measurement.tokens is not None:
        return "measured", measurement.tokens
    return ("pending" if measurement.status in _UNFINISHED else "unknown"), None


def _failure(status: int, body: bytes, prompt: Prompt) -> tuple[Provenance, Tokens | None]:
    if status == _BAD_REQUEST and is_content_filter(body):
        return "estimated", estimate_tokens(prompt.characters, 0)
    return "none", NO_TOKENS

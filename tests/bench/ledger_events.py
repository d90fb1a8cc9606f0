"""Events as a busy tenant makes them, for the benchmarks of the ledger."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from builders import NOON, raw_event

from tollgate.usage.tokens import Tokens

TENANT: Final = "contoso"
EVENTS_A_BATCH: Final = 500  # of a trigger
_USERS: Final = 200
_CODES: Final = 20
_MODELS: Final = ("gpt-4o-mini", "gpt-5", "o3")


def raw_events(seed: str) -> Callable[[int], list[bytes]]:
    """Makes so many new events in JSON: one hour, 200 users of 20 billing codes, three models."""
    draw = random.Random(seed)  # noqa: S311  no secrets

    def some(count: int) -> list[bytes]:
        return [_event(draw) for _ in range(count)]

    return some


def batches(raws: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The events as a trigger delivers them."""
    return [raws[at : at + EVENTS_A_BATCH] for at in range(0, len(raws), EVENTS_A_BATCH)]


def _event(draw: random.Random) -> bytes:
    user, cached = draw.randrange(_USERS), draw.choice([0, 640])
    reasoning = draw.choice([0, 90])
    return raw_event(
        f"{draw.getrandbits(128):032x}",
        NOON + timedelta(milliseconds=draw.randrange(3_600_000)),
        tenant=TENANT,
        billing_code=f"CC-{user % _CODES}",
        user=f"user-{user}",
        model=draw.choice(_MODELS),
        tokens=Tokens(
            input=1000 + draw.randrange(500),
            cached_input=cached,
            output=120 + draw.randrange(200),
            reasoning_output=reasoning,
        ),
    )

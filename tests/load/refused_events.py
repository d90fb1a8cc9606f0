"""Events that an intake refuses, each another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from load.usage_events import Event, spelled

_AHEAD: Final = timedelta(days=1)


def refused(good: Event, number: int, now: datetime, random: Random) -> bytes:
    """Bytes that are no usage event, made from one that is.

    Args:
        good: Is not changed.
        number: Tells it from all others.
        now: The time of the day.
        random: Says what is wrong with it.
    """
    event: dict[str, Any] = {**good, "id": f"refused-{number}", "data": {**good["data"]}}
    if (cut := random.random()) < 0.1:
        return json.dumps(event).encode()[: 60 + int(cut * 1000)] + str(number).encode()
    if cut < 0.15:
        return b"\xff\x00\xfe" + str(number).encode()
    random.choice(_WRONGS)(event)
    if random.random() < 0.2:
        event["time"] = spelled(now + _AHEAD)
    return json.dumps(event, ensure_ascii=random.random() < 0.5).encode()


def _negative(event: Event) -> None:
    event["data"]["tokens"] = {"input": -1, "output": 0}


def _huge(event: Event) -> None:
    event["data"]["tokens"] = {"input": 10**12 + 1, "output": 0}


def _endless(event: Event) -> None:
    event["data"]["tokens"] = {"input": 10**40, "output": 0}


def _float(event: Event) -> None:
    event["data"]["tokens"] = {"input": 1.5, "output": 0}


def _greater_part(event: Event) -> None:
    event["data"]["tokens"] = {"input": 5, "cached_input": 6, "output": 0}


def _nameless(event: Event) -> None:
    del event["data"]["tenant"]


def _control_character(event: Event) -> None:
    event["data"]["tenant"] = "contoso\x1foverflow"


def _next_version(event: Event) -> None:
    event["type"] = "tollgate.usage.v2"


def _wrong_type(event: Event) -> None:
    event["data"]["status"] = "200"


def _long_name(event: Event) -> None:
    event["data"]["user"] = "u" * 5_000


_WRONGS: Final[tuple[Callable[[Event], None], ...]] = (
    _negative,
    _huge,
    _endless,
    _float,
    _greater_part,
    _nameless,
    _control_character,
    _next_version,
    _wrong_type,
    _long_name,
)

"""Usage events as gateways send them, drawn by a seed, as plain JSON members.

Made without the product's types, so that what is counted from them judges the product.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

Event = dict[str, Any]

_TENANTS: Final = ("contoso", "fabrikam", "tail:spin", "a}:{b", "Müller & Söhne", "unallocated")
_CODES: Final = ("CC-1001", "CC-1002", 'C:{"7"}', "Köln\\1", None)
_USERS: Final = (*(f"user{number}@example.com" for number in range(20)), "u}:{", "žofie", None)
_GATEWAYS: Final = ("gw-weu", "gw-neu", "gw-{3}")
_MODELS: Final = (
    ("gpt-4o-mini", "2024-07-18", "chat.completions"),
    ("gpt-4.1", "2025-04-14", "chat.completions"),
    ("o4-mini", "2025-04-16", "responses"),
    ("text-embedding-3-small", "1", "embeddings"),
    ("gpt-image-1", "2025-04-15", "images.generations"),
    (None, None, "chat.completions"),
)
_BACKENDS: Final = (("weu-1", "westeurope"), ("neu-1", "northeurope"), (None, None))
_TYPES: Final = (("standard", "regional"), ("standard", "global"), ("provisioned", "data_zone"))
_UNITS: Final = ("images:1024x1024:high", "web_search_calls", "milliseconds")
_OPEN: Final = ("pending", "unknown", "estimated")
_HUGE: Final = 10**12


class UsageEvents:
    """Draws events.

    Args:
        random: By which they are drawn.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._numbers = 0
        self._id = "r0"

    def final(self, time: datetime) -> Event:
        """One that no completion replaces."""
        provenance = self._random.choices(("measured", "injected", "none"), (16, 4, 1))[0]
        counts = {"tokens": {"input": 0, "output": 0}} if provenance == "none" else self._counts()
        payer = self._payer()
        made = {"provenance": provenance, **counts}
        return self._event(self._next_id(payer), time, {**payer, **made})

    def open(self, time: datetime) -> Event:
        """One that waits for its completion."""
        provenance = self._random.choices(_OPEN, (4, 1, 2))[0]
        counts = self._counts() if provenance == "estimated" else {"tokens": None}
        payer = self._payer()
        made = {"provenance": provenance, **counts}
        return self._event(self._next_id(payer), time, {**payer, **made})

    def completion(self, of: Event, time: datetime) -> Event:
        """What completes an open event: it knows the counts, and perhaps another payer."""
        same = {name: of["data"][name] for name in ("tenant", "gateway")}
        made = {"provenance": "backfilled", "completes": True, **self._counts()}
        return self._event(of["id"], time, {**self._payer(), **same, **made})

    def contradiction(self, of: Event, time: datetime) -> Event:
        """Another event with the same key."""
        latency_ms = (of["data"]["latency_ms"] + 1) % 10_000
        changed = {"latency_ms": latency_ms}
        if of["data"]["provenance"] in {"measured", "injected", "backfilled"}:
            changed |= self._counts()
        return {**of, "time": spelled(time), "data": {**of["data"], **changed}}

    def _event(self, event_id: str, time: datetime, drawn: Event) -> Event:
        random = self._random
        model, version, api = random.choice(_MODELS)
        backend, region = random.choice(_BACKENDS)
        deployment_type, scope = random.choice(_TYPES)
        data = {
            "api": api,
            "deployment": model,
            "model": model,
            "model_version": version,
            "deployment_type": deployment_type,
            "scope": scope,
            "backend": backend,
            "region": region,
            "service_tier": random.choice(("default", "priority", None)),
            "status": 200,
            "latency_ms": random.randrange(10_000),
            **drawn,
        }
        return {
            "specversion": "1.0",
            "type": "tollgate.usage.v1",
            "id": event_id,
            "source": f"/gateways/{data['gateway']}",
            "subject": f"{drawn['tenant']}/{drawn['billing_code'] or ''}".rstrip("/"),
            "time": spelled(time),
            "datacontenttype": "application/json",
            "data": data,
        }

    def _next_id(self, payer: Event) -> str:
        """Mostly another one; also an attempt of the last one, and the last one elsewhere."""
        self._numbers += 1
        kind = self._random.random()
        if kind < 0.02:
            payer["delivered"] = False
            return f"{self._id}.a{self._numbers}"
        if kind < 0.04:  # the same id of another gateway is another request
            payer["gateway"] = f"gw-{self._numbers}"
            return self._id
        self._id = f"r{self._numbers}-{self._random.getrandbits(32):08x}"
        return self._id

    def _payer(self) -> Event:
        draw = self._random.choice
        return {
            "tenant": self._random.choices(_TENANTS, (8, 4, 2, 2, 1, 1))[0],
            "billing_code": draw(_CODES),
            "user": draw(_USERS),
            "gateway": draw(_GATEWAYS),
        }

    def _counts(self) -> Event:
        kind: Callable[[], Event] = self._random.choices(
            (self._usual, self._many_parts, self._units), (18, 1, 1)
        )[0]
        return kind()

    def _usual(self) -> Event:
        random = self._random
        most = random.choices((4_000, 40_000, 600_000, _HUGE), (180, 10, 10, 1))[0]
        given, made = random.randint(0, most), random.randint(0, 4_000)
        cached = random.choice((None, 0, random.randint(0, given)))
        reasoning = random.choice((None, 0, made, random.randint(0, made)))
        tokens = {"input": given, "output": made, "cached_input": cached}
        return {"tokens": {**tokens, "reasoning_output": reasoning}}

    def _many_parts(self) -> Event:
        """Overlapping parts; each whole is at least what its parts add up to."""
        text, cached, written, audio, image, cached_audio, cached_image, *made = (
            self._random.randint(0, 900) for _ in range(11)
        )
        said, reasoned, heard, drawn = made
        return {
            "tokens": {
                "input": text + cached + written + audio + image + cached_audio + cached_image,
                "cached_input": cached + cached_audio + cached_image,
                "cache_write_input": written,
                "audio_input": audio + cached_audio,
                "image_input": image + cached_image,
                "cached_audio_input": cached_audio,
                "cached_image_input": cached_image,
                "output": said + reasoned + heard + drawn,
                "reasoning_output": reasoned,
                "audio_output": heard,
                "image_output": drawn,
            }
        }

    def _units(self) -> Event:
        names = self._random.sample(_UNITS, self._random.randint(1, 2))
        units = {name: self._random.randint(0, 9) for name in names}
        return {"tokens": self._random.choice((None, {"input": 7, "output": 0})), "units": units}


def spelled(time: datetime) -> str:
    """RFC 3339 to the millisecond."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(event: Event) -> datetime:
    """When it was."""
    return datetime.fromisoformat(event["time"])


HOUR: Final = timedelta(hours=1)

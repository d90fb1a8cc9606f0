"""What remains of each deployment's capacity, and what of it a low request must leave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from tollgate.proxy.breaker import Circuit
from tollgate.proxy.demand import Demand
from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Limits
from tollgate.proxy.retry_after import duration_s
from tollgate.proxy.sliding_window import SlidingWindow

_COUNT: Final = re.compile(r"[0-9]{1,12}")
_TOKENS_S: Final = 60.0
_REQUESTS_S: Final = 10.0

What = Literal["tokens", "requests"]


class Shortage(msgspec.Struct, frozen=True):
    """Why a low request may not enter.

    Args:
        what: What is short.
        wait_s: Until enough is left for it, if nothing else comes.
    """

    what: What
    wait_s: float


class Remaining(msgspec.Struct, frozen=True, kw_only=True):
    """What is left at a deployment; None where no limit is known. Overdrawn is 0."""

    tokens: int | None
    requests: int | None


class _Kept:
    """A window, and how much of it is high's alone."""

    def __init__(self, limit: int, window_s: float, kept: int) -> None:
        self.window = SlidingWindow(limit, window_s)
        self.kept = kept


class Capacity:
    """The capacity of one deployment at one backend.

    Attributes:
        limits: Of the deployment.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._parts: dict[What, _Kept] = {}
        if limits.tokens_per_minute is not None:
            self._parts["tokens"] = _Kept(limits.tokens_per_minute, _TOKENS_S, limits.kept_tokens)
        if limits.requests_per_10s is not None:
            self._parts["requests"] = _Kept(
                limits.requests_per_10s, _REQUESTS_S, limits.kept_requests
            )

    def shortage(self, tokens: int, now_s: float) -> Shortage | None:
        """What a low request of so many tokens would take from the high ones, if anything.

        Where nothing is kept for them, nothing is short: then the backend decides.
        """
        found: Shortage | None = None
        for what, part in self._parts.items():
            needed = part.kept + (tokens if what == "tokens" else 1)
            if part.kept == 0 or part.window.left(now_s) >= needed:
                continue
            wait_s = part.window.wait_s(needed, now_s)
            if found is None or wait_s > found.wait_s:
                found = Shortage(what, wait_s)
        return found

    def admit(self, tokens: int, now_s: float) -> None:
        """A request goes there now."""
        for what, part in self._parts.items():
            part.window.admit(tokens if what == "tokens" else 1, now_s)

    def told(self, headers: Headers, now_s: float) -> None:
        """Take over what an answer's `x-ratelimit-remaining-*` say; the smaller count stands."""
        found = dict(headers)
        for what, part in self._parts.items():
            text = found.get(f"x-ratelimit-remaining-{what}", "")
            if _COUNT.fullmatch(text):
                valid_s = duration_s(found.get(f"x-ratelimit-reset-{what}"))
                part.window.told(int(text), now_s, valid_s)

    def remaining(self, now_s: float) -> Remaining:
        """What is left now."""
        left = {what: max(part.window.left(now_s), 0) for what, part in self._parts.items()}
        return Remaining(tokens=left.get("tokens"), requests=left.get("requests"))


class Capacities:
    """The capacity of each circuit that has a limit; one without takes whatever comes.

    Args:
        limits: By circuit; see `Pool.limits`.
    """

    def __init__(self, limits: Mapping[Circuit, Limits]) -> None:
        self._by_circuit = {circuit: Capacity(each) for circuit, each in limits.items()}

    @property
    def counted(self) -> bool:
        """Whether any capacity is counted."""
        return bool(self._by_circuit)

    def change(self, limits: Mapping[Circuit, Limits]) -> None:
        """Take over new limits; where they are the old ones, what was counted stays."""
        before = self._by_circuit
        self._by_circuit = {
            circuit: known
            if (known := before.get(circuit)) and known.limits == each
            else Capacity(each)
            for circuit, each in limits.items()
        }

    def shortage(self, circuit: Circuit, demand: Demand, now_s: float) -> Shortage | None:
        """Why this request may not enter there; always None for a high one."""
        if demand.lane == "high":
            return None
        capacity = self._by_circuit.get(circuit)
        return capacity.shortage(demand.tokens, now_s) if capacity else None

    def admit(self, circuit: Circuit, tokens: int, now_s: float) -> None:
        """A request goes there now."""
        if capacity := self._by_circuit.get(circuit):
            capacity.admit(tokens, now_s)

    def told(self, circuit: Circuit, headers: Headers, now_s: float) -> None:
        """An answer came from there."""
        if capacity := self._by_circuit.get(circuit):
            capacity.told(headers, now_s)

    def remaining(self, circuit: Circuit, now_s: float) -> Remaining | None:
        """What is left there; None where nothing limits it."""
        capacity = self._by_circuit.get(circuit)
        return capacity.remaining(now_s) if capacity else None

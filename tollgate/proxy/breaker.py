"""Circuit breakers per backend and deployment: a 429 for one model says nothing of another."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Final

import msgspec

# How long to wait for what a probe tells that is under way.
_PROBE_S: Final = 1.0
# How many silences or breaks within the window open a circuit, at least.
_DOUBTFUL_FAILURES: Final = 3


class BreakerRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a circuit opens, and for how long (`breaker` in tollgate.yaml)."""

    failures: int = 1
    window_s: float = 10
    open_s: float = 10
    honour_retry_after: bool = True
    max_retry_after_s: float = 120


class _Circuit:
    def __init__(self) -> None:
        self.failures_s: deque[float] = deque()
        self.open_until_s = 0.0
        self.probing = False
        self.throttled = False


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What a breaker has to know of a failure.

    Args:
        throttled: It was a 429.
        certain: It speaks of the backend. A silence or a break may be the request's own doing, and
            one slow call must not close a region to everybody.
        retry_after_s: How long the backend asked to be left alone.
    """

    throttled: bool = False
    certain: bool = True
    retry_after_s: float | None = None


_FAILED: Final = Failure()


class Breakers:
    """The state of all circuits. Times are seconds of any one steady clock.

    An open circuit lets nothing through; when its time is over it lets one probe through, and
    closes when that succeeds.
    """

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._circuits: dict[Hashable, _Circuit] = {}

    def enter(self, key: Hashable, now_s: float) -> bool:
        """Whether a request may go there now. One that may must end in a call below."""
        circuit = self._circuits.get(key)
        if circuit is None or circuit.open_until_s == 0.0:
            return True
        if now_s < circuit.open_until_s or circuit.probing:
            return False
        circuit.probing = True
        return True

    def succeeded(self, key: Hashable) -> None:
        """The backend answered: a probe that came back closes the circuit."""
        circuit = self._circuits.get(key)
        if circuit and circuit.probing:
            del self._circuits[key]

    def abandoned(self, key: Hashable) -> None:
        """The request ended without telling anything of the backend."""
        if circuit := self._circuits.get(key):
            circuit.probing = False

    def failed(self, key: Hashable, now_s: float, failure: Failure = _FAILED) -> None:
        """The backend throttled, failed, or said nothing."""
        rules = self._rules
        circuit = self._circuits.setdefault(key, _Circuit())
        circuit.failures_s.append(now_s)
        while circuit.failures_s[0] < now_s - rules.window_s:
            circuit.failures_s.popleft()
        needed = rules.failures if failure.certain else max(rules.failures, _DOUBTFUL_FAILURES)
        if not circuit.probing and len(circuit.failures_s) < needed:
            return
        wait_s = rules.open_s
        if rules.honour_retry_after and failure.retry_after_s is not None:
            wait_s = min(failure.retry_after_s, rules.max_retry_after_s)
        circuit.open_until_s = max(circuit.open_until_s, now_s + wait_s)
        circuit.probing = False
        circuit.throttled = failure.throttled

    def is_probing(self, key: Hashable) -> bool:
        """Whether a probe is under way."""
        circuit = self._circuits.get(key)
        return circuit is not None and circuit.probing

    def is_throttled(self, key: Hashable, now_s: float) -> bool:
        """Whether the circuit is open because the backend throttled."""
        circuit = self._circuits.get(key)
        return circuit is not None and circuit.throttled and now_s < circuit.open_until_s

    def wait_s(self, key: Hashable, now_s: float) -> float:
        """Seconds until a request may go there; 0 for now."""
        circuit = self._circuits.get(key)
        if circuit is None:
            return 0.0
        return max(circuit.open_until_s - now_s, _PROBE_S if circuit.probing else 0.0)

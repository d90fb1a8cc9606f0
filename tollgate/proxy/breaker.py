"""Circuit breakers per backend and deployment: a 429 for one model says nothing of another."""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

import msgspec

Circuit = tuple[str, str]
"""The names of a backend and of a deployment there."""

Ticket = int
"""Of a request that may go to a backend: which opening of the circuit it probes, if any."""

REFUSED: Final[Ticket] = 0
ORDINARY: Final[Ticket] = 1  # the circuit was closed

# How long to wait for what a probe tells that is under way.
_PROBE_S: Final = 1.0
# How many silences, breaks or 408s within the window open a circuit, at least.
_DOUBTFUL_FAILURES: Final = 3


class BreakerRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a circuit opens, and for how long (`breaker` in tollgate.yaml)."""

    failures: int = 1
    window_s: float = 10
    open_s: float = 10
    honour_retry_after: bool = True
    max_retry_after_s: float = 120


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What a breaker has to know of a failure.

    Args:
        throttled: It was a 429.
        certain: It speaks of the backend. A silence, a break or a 408 may be the request's own
            doing, and one slow call must not close a region to everybody.
        retry_after_s: How long the backend asked to be left alone.
    """

    throttled: bool = False
    certain: bool = True
    retry_after_s: float | None = None


_FAILED: Final = Failure()


class CircuitObserver(Protocol):
    """Is told what the breakers have found out themselves. Neither call may wait or raise."""

    def opened(self, circuit: Circuit, until_s: float, *, throttled: bool) -> None:
        """A failure has opened the circuit, or keeps it open, until then."""
        ...

    def closed(self, circuit: Circuit) -> None:
        """A probe has closed the circuit."""
        ...


class _State:
    def __init__(self) -> None:
        self.failures_s: deque[float] = deque()
        self.open_until_s = 0.0  # by failures that were seen here
        self.learnt_until_s = 0.0  # by what others say
        self.opening: Ticket = ORDINARY  # the latest one; ORDINARY if there is none
        self.probing = False
        self.throttled_until_s = 0.0

    @property
    def until_s(self) -> float:
        return max(self.open_until_s, self.learnt_until_s)


class Breakers:
    """The state of all circuits. Times are seconds of any one steady clock.

    An open circuit lets nothing through; when its time is over it lets one probe through, and
    closes when that succeeds. What comes back of requests that were sent before it opened says
    nothing of that: each hands its ticket back.

    Attributes:
        rules: May be replaced; they hold from the next failure on.
        observer: Who wants to know what happens here, if anyone.
    """

    def __init__(self, rules: BreakerRules) -> None:
        self.rules = rules
        self._circuits: dict[Circuit, _State] = {}
        self._last_opening: Ticket = ORDINARY
        self.observer: CircuitObserver | None = None

    def enter(self, key: Circuit, now_s: float) -> Ticket:
        """A request wants to go there now.

        Returns:
            Its ticket, which must be handed back in a call below; or `REFUSED`.
        """
        circuit = self._circuits.get(key)
        if circuit is None or circuit.until_s == 0.0:
            return ORDINARY
        if now_s < circuit.until_s or circuit.probing:
            return REFUSED
        circuit.probing = True
        return circuit.opening

    def succeeded(self, key: Circuit, ticket: Ticket) -> None:
        """The backend answered: a probe that came back closes the circuit."""
        if ticket != ORDINARY and self._probed(key, ticket):
            del self._circuits[key]
            if self.observer:
                self.observer.closed(key)

    def abandoned(self, key: Circuit, ticket: Ticket) -> None:
        """The request ended without telling anything of the backend."""
        if circuit := self._probed(key, ticket):
            circuit.probing = False

    def _probed(self, key: Circuit, ticket: Ticket) -> _State | None:
        """The circuit whose latest opening the request has probed; None for any other request."""
        circuit = self._circuits.get(key)
        return circuit if circuit and ORDINARY != circuit.opening == ticket else None

    def _open_anew(self, circuit: _State) -> None:
        self._last_opening += 1
        circuit.opening = self._last_opening
        circuit.probing = False

    def failed(
        self, key: Circuit, now_s: float, failure: Failure = _FAILED, ticket: Ticket = ORDINARY
    ) -> None:
        """The backend throttled, failed, or said nothing."""
        rules, is_probe = self.rules, self._probed(key, ticket) is not None
        circuit = self._circuits.setdefault(key, _State())
        circuit.failures_s.append(now_s)
        while circuit.failures_s[0] < now_s - rules.window_s:
            circuit.failures_s.popleft()
        needed = rules.failures if failure.certain else max(rules.failures, _DOUBTFUL_FAILURES)
        if not is_probe and len(circuit.failures_s) < needed:
            return
        wait_s = rules.open_s
        if rules.honour_retry_after and failure.retry_after_s is not None:
            wait_s = min(failure.retry_after_s, rules.max_retry_after_s)
        circuit.open_until_s = max(circuit.open_until_s, now_s + wait_s)
        self._open_anew(circuit)
        if failure.throttled:  # another failure says nothing of how long that lasts
            circuit.throttled_until_s = max(circuit.throttled_until_s, now_s + wait_s)
        if self.observer:
            self.observer.opened(key, circuit.open_until_s, throttled=failure.throttled)

    def learn(self, key: Circuit, now_s: float, wait_s: float, *, throttled: bool) -> None:
        """Others have opened the circuit: nothing goes there for `wait_s`, within our own bounds.

        A circuit whose time is over is not opened anew: what others say of it is old.
        """
        if wait_s <= 0:
            return
        circuit = self._circuits.setdefault(key, _State())
        if circuit.until_s <= now_s:
            self._open_anew(circuit)
        longest_s = max(self.rules.open_s, self.rules.max_retry_after_s)
        circuit.learnt_until_s = now_s + min(wait_s, longest_s)
        if throttled:
            circuit.throttled_until_s = max(circuit.throttled_until_s, circuit.learnt_until_s)

    def unlearn(self, key: Circuit) -> None:
        """Others say no more that the circuit is open; what was seen here stays."""
        circuit = self._circuits.get(key)
        if circuit is None:
            return
        circuit.learnt_until_s = 0.0
        if circuit.open_until_s == 0.0:
            circuit.probing, circuit.opening = False, ORDINARY
            if not circuit.failures_s:
                del self._circuits[key]

    def probe_early(self, key: Circuit) -> Ticket:
        """A request goes there before its time, for want of anything better; it is a probe."""
        circuit = self._circuits.get(key)
        if circuit is None or circuit.opening == ORDINARY:
            return ORDINARY
        circuit.probing = True
        return circuit.opening

    def is_throttled(self, key: Circuit, now_s: float) -> bool:
        """Whether the circuit is open because the backend throttled."""
        circuit = self._circuits.get(key)
        return circuit is not None and now_s < min(circuit.throttled_until_s, circuit.until_s)

    def wait_s(self, key: Circuit, now_s: float) -> float:
        """Seconds until a request may go there; 0 for now."""
        circuit = self._circuits.get(key)
        if circuit is None:
            return 0.0
        return max(circuit.until_s - now_s, _PROBE_S if circuit.probing else 0.0)

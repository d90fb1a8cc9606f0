"""Asks one backend after the other until one answers, within a fixed budget of attempts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from tollgate.proxy.breaker import Breakers, Circuit, Failure
from tollgate.proxy.capacity import Capacities, Remaining, Shortage, What
from tollgate.proxy.demand import Demand
from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.refusals import Refusal

Delivery = TypeVar("Delivery")
Attempt = Callable[[Target, int], Awaitable[Delivery]]

_TOO_MANY_REQUESTS: Final = 429
_NO_LIMITS: Final = Capacities({})
_PLAIN: Final = Demand(alias="")


class Failover:
    """Failover within one request. It never sleeps: who is short is left, not waited for.

    Args:
        breakers: Shared by all requests.
        max_attempts: How many backends one request may be sent to.
        steady_s: A steady clock, in seconds.
        capacities: Shared by all requests; they keep low ones from what is kept for high ones.
    """

    def __init__(
        self,
        breakers: Breakers,
        max_attempts: int,
        steady_s: Callable[[], float],
        capacities: Capacities = _NO_LIMITS,
    ) -> None:
        self._breakers = breakers
        self._max_attempts = max_attempts
        self._steady_s = steady_s
        self._capacities = capacities

    async def run(
        self, targets: Sequence[Target], attempt: Attempt[Delivery], demand: Demand = _PLAIN
    ) -> Delivery:
        """Run `attempt(target, number)` on target after target until one does not fail.

        Args:
            targets: In the order to ask; none is asked twice.
            attempt: Sends, and raises `BackendFailed` if another target may be asked.
            demand: What the request asks for.

        Raises:
            Exhausted: No target is left, or the budget is used up.
        """
        failures: list[BackendFailed] = []
        withheld: dict[Circuit, Shortage] = {}
        for target in self._reachable(targets, demand, withheld):
            try:
                return await self._try(target, attempt, len(failures) + 1)
            except BackendFailed as failure:
                failures.append(failure)
            if len(failures) == self._max_attempts:
                break
        if withheld:
            raise self._low_exhausted(targets, len(failures), withheld)
        raise self._exhausted(targets, failures)

    def answered(self, target: Target, headers: Headers) -> None:
        """Learn from an answer's headers what is left there.

        Args:
            target: The one that was asked, whoever has served.
            headers: Names in lower case.
        """
        self._capacities.told(target.circuit, headers, self._steady_s())

    def remaining(self, target: Target) -> Remaining | None:
        """What is left at a target now; None where nothing limits it."""
        return self._capacities.remaining(target.circuit, self._steady_s())

    def _reachable(
        self, targets: Sequence[Target], demand: Demand, withheld: dict[Circuit, Shortage]
    ) -> Iterator[Target]:
        """Those that may be asked, then those under a probe: better beside one than refused.

        What is left there is looked at when a target is entered, not before.
        """
        left_out: list[Target] = []
        for target in targets:
            now_s, circuit = self._steady_s(), target.circuit
            if shortage := self._capacities.shortage(circuit, demand, now_s):
                withheld[circuit] = shortage
            elif self._breakers.enter(circuit, now_s):
                self._capacities.admit(circuit, demand.tokens, now_s)
                yield target
            else:
                left_out.append(target)
        for target in left_out:
            now_s, circuit = self._steady_s(), target.circuit
            if not self._breakers.is_probing(circuit):
                continue
            if shortage := self._capacities.shortage(circuit, demand, now_s):
                withheld[circuit] = shortage
            else:
                self._capacities.admit(circuit, demand.tokens, now_s)
                yield target

    async def _try(self, target: Target, attempt: Attempt[Delivery], number: int) -> Delivery:
        try:
            delivery = await attempt(target, number)
        except BackendFailed as failure:
            told = Failure(
                throttled=failure.status == _TOO_MANY_REQUESTS,
                certain=failure.status is not None or not failure.may_have_cost,
                retry_after_s=failure.retry_after_s,
            )
            self._breakers.failed(target.circuit, self._steady_s(), told)
            raise
        except BaseException:
            self._breakers.abandoned(target.circuit)
            raise
        self._breakers.succeeded(target.circuit)
        return delivery

    def _exhausted(self, targets: Sequence[Target], failures: Sequence[BackendFailed]) -> Exhausted:
        now_s = self._steady_s()
        wait_s = min(self._breakers.wait_s(target.circuit, now_s) for target in targets)
        throttled = any(failure.status == _TOO_MANY_REQUESTS for failure in failures) or any(
            self._breakers.is_throttled(target.circuit, now_s) for target in targets
        )
        return Exhausted(len(failures), wait_s, throttled=throttled)

    def _low_exhausted(
        self, targets: Sequence[Target], attempts: int, withheld: Mapping[Circuit, Shortage]
    ) -> LowPriorityExhausted:
        """With the shortest wait of all: for room, for a circuit, or for both of one target."""
        now_s = self._steady_s()

        def wait_s(circuit: Circuit) -> float:
            shortage = withheld.get(circuit)
            room_s = shortage.wait_s if shortage else 0.0
            return max(self._breakers.wait_s(circuit, now_s), room_s)

        first = min(withheld, key=wait_s)
        shortest_s = min(wait_s(target.circuit) for target in targets)
        return LowPriorityExhausted(attempts, shortest_s, withheld[first].what)


class Exhausted(Refusal):
    """No backend served the request.

    Args:
        attempts: How many were asked.
        wait_s: Until the first backend may be asked again.
        throttled: A backend is there, but short.
    """

    def __init__(self, attempts: int, wait_s: float, *, throttled: bool) -> None:
        self.attempts = attempts
        super().__init__(
            _TOO_MANY_REQUESTS if throttled else 503,
            "rate_limit_exceeded" if throttled else "backends_unavailable",
            "Every region that serves this deployment is out of capacity; try again later."
            if throttled
            else "No region that serves this deployment could be reached; try again later.",
            retry_after_s=wait_s,
        )


class LowPriorityExhausted(Exhausted):
    """A low request found no target, and would have found one as a high one.

    Args:
        attempts: How many were asked.
        wait_s: Until it may enter one.
        what: What was kept from it.
    """

    def __init__(self, attempts: int, wait_s: float, what: What) -> None:
        super().__init__(attempts, wait_s, throttled=True)
        self.code = "low_priority_capacity"
        self.message = (
            "What is left of this deployment's capacity is kept for requests of high priority; "
            "try again later."
        )
        self.reason = f"{what}-below-low-priority-threshold"
        self.headers = (("x-tollgate-ratelimit-reason", self.reason),)

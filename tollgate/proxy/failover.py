"""Asks one backend after the other until one answers, within a fixed budget of attempts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from tollgate.proxy.breaker import ORDINARY, Breakers, Circuit, Failure, Ticket
from tollgate.proxy.capacity import Capacities, Remaining, Shortage, What
from tollgate.proxy.demand import Demand
from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.refusals import Refusal

Delivery = TypeVar("Delivery")
Attempt = Callable[[Target, int], Awaitable[Delivery]]

_TOO_MANY_REQUESTS: Final = 429
_REQUEST_TIMEOUT: Final = 408  # who was too slow is not said
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
        self.max_attempts = max_attempts
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
        return await self.start(targets, demand).go(attempt)

    def start(self, targets: Sequence[Target], demand: Demand = _PLAIN) -> Journey:
        """A way through the targets that can be gone on after an answer that turns out bad."""
        return Journey(self, targets, demand)

    def answered(self, target: Target, headers: Headers) -> None:
        """Learn from an answer's headers what is left there.

        Args:
            target: The one that was asked, whoever has served.
            headers: Names in lower case.
        """
        if self._capacities.counted:
            self._capacities.told(target.circuit, headers, self._steady_s())

    def remaining(self, target: Target) -> Remaining | None:
        """What is left at a target now; None where nothing limits it."""
        return self._capacities.remaining(target.circuit, self._steady_s())

    def reachable(
        self, targets: Sequence[Target], demand: Demand, withheld: dict[Circuit, Shortage]
    ) -> Iterator[tuple[Target, Ticket]]:
        """Those that may be asked; then, rather than refuse, those that failed lately.

        With each comes its breaker's ticket.

        A region may be well again before its circuit says so: a request that it kept waiting while
        it was sick opens the circuit anew. Who throttles has said how long, and is left alone.

        What is left there is looked at when a target is entered, not before.
        """
        left_out: list[Target] = []
        for target in targets:
            now_s, circuit = self._steady_s(), target.circuit
            if shortage := self._capacities.shortage(circuit, demand, now_s):
                withheld[circuit] = shortage
            elif ticket := self._breakers.enter(circuit, now_s):
                self._capacities.admit(circuit, demand.tokens, now_s)
                yield target, ticket
            else:
                left_out.append(target)
        for target in left_out:
            now_s, circuit = self._steady_s(), target.circuit
            if self._breakers.is_throttled(circuit, now_s):
                continue
            if shortage := self._capacities.shortage(circuit, demand, now_s):
                withheld[circuit] = shortage
            else:
                ticket = self._breakers.probe_early(circuit)
                self._capacities.admit(circuit, demand.tokens, now_s)
                yield target, ticket

    async def try_one(
        self, target: Target, ticket: Ticket, attempt: Attempt[Delivery], number: int
    ) -> Delivery:
        """Ask one target, and tell its breaker how it went.

        Raises:
            BackendFailed: Another one may be asked.
        """
        try:
            delivery = await attempt(target, number)
        except BackendFailed as failure:
            self.failed(target, failure, ticket)
            raise
        except BaseException:
            self._breakers.abandoned(target.circuit, ticket)
            raise
        self._breakers.succeeded(target.circuit, ticket)
        return delivery

    def failed(self, target: Target, failure: BackendFailed, ticket: Ticket = ORDINARY) -> None:
        """Tell the breaker what became of a target."""
        status = failure.status
        told = Failure(
            throttled=status == _TOO_MANY_REQUESTS,
            certain=not failure.may_have_cost or status not in {None, _REQUEST_TIMEOUT},
            retry_after_s=failure.retry_after_s,
        )
        self._breakers.failed(target.circuit, self._steady_s(), told, ticket)

    def exhausted(self, targets: Sequence[Target], failures: Sequence[BackendFailed]) -> Exhausted:
        """What the client is told when nobody is left: with the smallest remaining wait."""
        now_s = self._steady_s()
        wait_s = min(self._breakers.wait_s(target.circuit, now_s) for target in targets)
        throttled = any(failure.status == _TOO_MANY_REQUESTS for failure in failures) or any(
            self._breakers.is_throttled(target.circuit, now_s) for target in targets
        )
        return Exhausted(len(failures), wait_s, throttled=throttled)

    def low_exhausted(
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


class Journey:
    """One request's way from target to target, within its budget of attempts.

    Args:
        failover: Knows the rules.
        targets: In the order to ask; none is asked twice.
        demand: What the request asks for.
    """

    def __init__(self, failover: Failover, targets: Sequence[Target], demand: Demand) -> None:
        self._failover = failover
        self._targets = targets
        self._failures: list[BackendFailed] = []
        self._withheld: dict[Circuit, Shortage] = {}
        self._reachable = failover.reachable(targets, demand, self._withheld)
        self._last: Target | None = None

    async def go(self, attempt: Attempt[Delivery]) -> Delivery:
        """Ask target after target until one does not fail.

        Raises:
            Exhausted: No target is left, or the budget is used up.
        """
        failover, failures = self._failover, self._failures
        while len(failures) < failover.max_attempts:
            entered = next(self._reachable, None)
            if entered is None:
                break
            target, ticket = entered
            self._last = target
            try:
                return await failover.try_one(target, ticket, attempt, len(failures) + 1)
            except BackendFailed as failure:
                failures.append(failure)
        if self._withheld:
            raise failover.low_exhausted(self._targets, len(failures), self._withheld)
        raise failover.exhausted(self._targets, failures)

    def turned_bad(self, failure: BackendFailed) -> None:
        """The answer that was had last is none after all."""
        if self._last is not None:
            self._failover.failed(self._last, failure)
        self._failures.append(failure)


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

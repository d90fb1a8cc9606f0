"""Asks one backend after the other until one answers, within a fixed budget of attempts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

from tollgate.proxy.breaker import Breakers, Failure
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.refusals import Refusal

Delivery = TypeVar("Delivery")
Attempt = Callable[[Target, int], Awaitable[Delivery]]

_TOO_MANY_REQUESTS: Final = 429


class Failover:
    """Failover within one request. It never sleeps: who is short is left, not waited for.

    Args:
        breakers: Shared by all requests.
        max_attempts: How many backends one request may be sent to.
        steady_s: A steady clock, in seconds.
    """

    def __init__(
        self, breakers: Breakers, max_attempts: int, steady_s: Callable[[], float]
    ) -> None:
        self._breakers = breakers
        self._max_attempts = max_attempts
        self._steady_s = steady_s

    async def run(self, targets: Sequence[Target], attempt: Attempt[Delivery]) -> Delivery:
        """Run `attempt(target, number)` on target after target until one does not fail.

        Raises:
            Exhausted: No target is left, or the budget is used up.
        """
        failures: list[BackendFailed] = []
        for target in self._reachable(targets):
            try:
                return await self._try(target, attempt, len(failures) + 1)
            except BackendFailed as failure:
                failures.append(failure)
            if len(failures) == self._max_attempts:
                break
        raise self._exhausted(targets, failures)

    def _reachable(self, targets: Sequence[Target]) -> Iterator[Target]:
        """Those that may be asked, then those under a probe: better beside one than refused."""
        left_out: list[Target] = []
        for target in targets:
            if self._breakers.enter(target.circuit, self._steady_s()):
                yield target
            else:
                left_out.append(target)
        yield from (each for each in left_out if self._breakers.is_probing(each.circuit))

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

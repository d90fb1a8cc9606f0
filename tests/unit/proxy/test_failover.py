from __future__ import annotations

import asyncio

import pytest
from proxying import FakeClock, target

from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.failover import Exhausted, Failover
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import BackendFailed

TARGETS = [target("a"), target("b"), target("c"), target("d")]
THROTTLED = BackendFailed("throttled", status=429, retry_after_s=7)
BROKEN = BackendFailed("broken")


class Asked:
    """Runs attempts; each target in turn meets what the script says, then serves."""

    def __init__(self, *script: BaseException, targets: list[Target] = TARGETS) -> None:
        self.clock = FakeClock()
        self.failover = Failover(Breakers(BreakerRules()), 3, self.clock.steady_s)
        self.targets = targets
        self.script = list(script)
        self.names: list[str] = []

    async def run(self) -> tuple[str, int]:
        return await self.failover.run(self.targets, self._attempt)

    async def _attempt(self, at: Target, number: int) -> tuple[str, int]:
        self.names.append(at.backend.name)
        if self.script:
            raise self.script.pop(0)
        return at.backend.name, number


async def test_the_first_target_serves() -> None:
    assert await Asked().run() == ("a", 1)


async def test_the_next_target_is_asked_when_one_fails() -> None:
    assert await Asked(THROTTLED, BROKEN).run() == ("c", 3)


async def test_a_failed_target_is_left_alone_until_its_time_is_over() -> None:
    asked = Asked(THROTTLED)
    await asked.run()
    assert await asked.run() == ("b", 1)
    asked.clock.s += 7
    assert await asked.run() == ("a", 1)


async def test_the_budget_of_attempts_is_kept() -> None:
    asked = Asked(BROKEN, BROKEN, BROKEN)
    with pytest.raises(Exhausted) as exhausted:
        await asked.run()
    assert asked.names == ["a", "b", "c"]
    assert (exhausted.value.status, exhausted.value.attempts) == (503, 3)


async def test_throttled_everywhere_is_429_with_the_shortest_wait() -> None:
    asked = Asked(BROKEN, THROTTLED, targets=TARGETS[:2])
    with pytest.raises(Exhausted) as exhausted:
        await asked.run()
    assert (exhausted.value.status, exhausted.value.retry_after_s) == (429, 7)


async def test_with_all_circuits_open_nobody_is_asked() -> None:
    asked = Asked(THROTTLED, targets=TARGETS[:1])
    with pytest.raises(Exhausted):
        await asked.run()
    with pytest.raises(Exhausted) as exhausted:
        await asked.run()
    assert asked.names == ["a"]
    assert (exhausted.value.status, exhausted.value.attempts) == (429, 0)


async def test_who_fails_elsewhere_is_asked_beside_a_probe_rather_than_refused() -> None:
    asked = Asked(THROTTLED, targets=TARGETS[:2])
    await asked.run()
    asked.clock.s += 7
    probe_answers, probed = asyncio.Event(), asyncio.Event()

    async def probe(at: Target, number: int) -> tuple[str, int]:
        probed.set()
        await probe_answers.wait()
        return at.backend.name, number

    probing = asyncio.create_task(asked.failover.run(asked.targets, probe))
    await probed.wait()
    asked.script.append(THROTTLED)
    asked.names.clear()
    assert await asked.run() == ("a", 2)
    assert asked.names == ["b", "a"]
    probe_answers.set()
    assert await probing == ("a", 1)


@pytest.mark.parametrize("end", [asyncio.CancelledError(), ValueError("a bug")])
async def test_a_probe_that_tells_nothing_makes_room_for_the_next(end: BaseException) -> None:
    asked = Asked(BROKEN, end, targets=TARGETS[:1])
    with pytest.raises(Exhausted):
        await asked.run()
    asked.clock.s += 10
    with pytest.raises(type(end)):
        await asked.run()
    assert await asked.run() == ("a", 1)

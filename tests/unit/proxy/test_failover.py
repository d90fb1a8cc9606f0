from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxying import FakeClock, target

from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.capacity import Capacities, Remaining
from tollgate.proxy.demand import Demand
from tollgate.proxy.failover import Exhausted, Failover, LowPriorityExhausted
from tollgate.proxy.pool import Limits, Target
from tollgate.proxy.ports import BackendFailed

TARGETS = [target("a"), target("b"), target("c"), target("d")]
THROTTLED = BackendFailed("throttled", status=429, retry_after_s=7)
BROKEN = BackendFailed("broken")
KEPT = Limits(tokens_per_minute=1000, requests_per_10s=100, kept_tokens=300, kept_requests=3)
HIGH = Demand(alias="gpt-4o-mini", tokens=100)
LOW = Demand(alias="gpt-4o-mini", tokens=100, lane="low")


class Asked:
    """Runs attempts; each target in turn meets what the script says, then serves."""

    def __init__(self, *script: BaseException, targets: list[Target] = TARGETS) -> None:
        self.clock = FakeClock()
        capacities = Capacities({target.circuit: KEPT for target in TARGETS[:2]})
        self.failover = Failover(Breakers(BreakerRules()), 3, self.clock.steady_s, capacities)
        self.targets = targets
        self.script = list(script)
        self.names: list[str] = []

    async def run(self, demand: Demand = HIGH) -> tuple[str, int]:
        return await self.failover.run(self.targets, self._attempt, demand)

    async def refused(self, demand: Demand = LOW) -> LowPriorityExhausted:
        with pytest.raises(LowPriorityExhausted) as refused:
            await self.run(demand)
        return refused.value

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


async def test_a_target_that_failed_lately_is_asked_rather_than_refused() -> None:
    asked = Asked(BROKEN, targets=TARGETS[:1])
    with pytest.raises(Exhausted):
        await asked.run()
    assert await asked.run() == ("a", 1)
    assert await asked.run() == ("a", 1)
    assert asked.names == ["a", "a", "a"]


async def test_it_takes_three_slow_requests_to_leave_a_target_alone() -> None:
    asked = Asked(targets=TARGETS[:2])
    for _ in range(3):
        asked.script.append(BackendFailed("slow", status=408, may_have_cost=True))
        assert await asked.run() == ("b", 2)
    assert await asked.run() == ("b", 1)


async def test_a_target_that_throttles_is_left_alone_even_if_nobody_else_is_there() -> None:
    asked = Asked(THROTTLED, targets=TARGETS[:1])
    for _ in range(2):
        with pytest.raises(Exhausted) as exhausted:
            await asked.run()
        assert exhausted.value.status == 429
    assert asked.names == ["a"]


async def test_a_journey_goes_on_after_an_answer_that_turned_bad() -> None:
    asked = Asked()
    journey = asked.failover.start(asked.targets, HIGH)

    async def attempt(at: Target, number: int) -> tuple[str, int]:
        return at.backend.name, number

    assert await journey.go(attempt) == ("a", 1)
    for expected in (("b", 2), ("c", 3)):
        journey.turned_bad(BROKEN)
        assert await journey.go(attempt) == expected
    journey.turned_bad(BROKEN)
    with pytest.raises(Exhausted) as exhausted:
        await journey.go(attempt)
    assert exhausted.value.attempts == 3


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


async def test_an_older_request_that_comes_back_during_a_probe_lets_nobody_in() -> None:
    asked = Asked(targets=TARGETS[:2])
    answers = {name: asyncio.Event() for name in ("older", "probe")}

    async def waiting(name: str) -> str:
        async def attempt(at: Target, number: int) -> str:
            del number
            await answers[name].wait()
            return at.backend.name

        return await asked.failover.run(asked.targets, attempt)

    older = asyncio.create_task(waiting("older"))
    await asyncio.sleep(0)
    asked.script.append(THROTTLED)
    assert await asked.run() == ("b", 2)
    asked.clock.s += 7
    probe = asyncio.create_task(waiting("probe"))
    await asyncio.sleep(0)
    answers["older"].set()
    assert await older == "a"
    assert await asked.run() == ("b", 1)
    answers["probe"].set()
    assert await probe == "a"
    assert await asked.run() == ("a", 1)


@pytest.mark.parametrize("end", [asyncio.CancelledError(), ValueError("a bug")])
async def test_a_probe_that_tells_nothing_makes_room_for_the_next(end: BaseException) -> None:
    asked = Asked(BROKEN, end, targets=TARGETS[:1])
    with pytest.raises(Exhausted):
        await asked.run()
    asked.clock.s += 10
    with pytest.raises(type(end)):
        await asked.run()
    assert await asked.run() == ("a", 1)


async def served(asked: Asked, *demands: Demand) -> str:
    return "".join([(await asked.run(demand))[0] for demand in demands])


async def test_a_low_request_leaves_what_is_kept_and_goes_on_to_the_next_target() -> None:
    asked = Asked(targets=TARGETS[:3])
    assert await served(asked, *[HIGH] * 6, LOW, LOW) == "aaaaaaab"
    assert await served(asked, *[HIGH] * 9) == "aaaaaaaaa"


async def test_a_low_request_that_finds_no_room_is_429_and_told_why_and_for_how_long() -> None:
    asked = Asked(targets=TARGETS[:1])
    await served(asked, *[HIGH] * 7)
    refused = await asked.refused()
    assert (refused.status, refused.code) == (429, "low_priority_capacity")
    assert (refused.attempts, refused.retry_after_s) == (0, 65)
    headers = dict(refused.answer().headers)
    assert headers["x-tollgate-ratelimit-reason"] == "tokens-below-low-priority-threshold"
    assert headers["retry-after"] == "65"
    asked.clock.s += 65
    assert await served(asked, LOW) == "a"


async def test_requests_are_kept_back_as_tokens_are() -> None:
    asked = Asked(targets=TARGETS[:1])
    await served(asked, *[Demand(alias="gpt-4o-mini")] * 98)
    assert (await asked.refused()).reason == "requests-below-low-priority-threshold"


async def test_the_wait_of_a_low_request_is_the_shortest_of_room_and_circuits() -> None:
    asked = Asked(targets=[TARGETS[0], TARGETS[2]])
    await served(asked, *[HIGH] * 7)
    asked.script.append(THROTTLED)
    refused = await asked.refused()
    assert (asked.names[-1], refused.attempts, refused.retry_after_s) == ("c", 1, 7)


async def test_a_target_that_is_short_and_open_takes_until_both_are_over() -> None:
    asked = Asked(targets=TARGETS[:1])
    await served(asked, *[HIGH] * 7)
    asked.clock.s += 60
    asked.script.append(THROTTLED)
    with pytest.raises(Exhausted):
        await asked.run()
    assert (await asked.refused()).retry_after_s == 7


async def test_a_low_request_is_not_asked_beside_a_probe_where_it_has_no_room() -> None:
    asked = Asked(THROTTLED, targets=TARGETS[:1])
    with pytest.raises(Exhausted):
        await asked.run(Demand(alias="gpt-4o-mini", tokens=500))
    asked.clock.s += 7
    probe_answers, probed = asyncio.Event(), asyncio.Event()

    async def probe(at: Target, number: int) -> tuple[str, int]:
        probed.set()
        await probe_answers.wait()
        return at.backend.name, number

    probing = asyncio.create_task(asked.failover.run(asked.targets, probe, HIGH))
    await probed.wait()
    assert await asked.run(LOW) == ("a", 1)
    assert (await asked.refused()).attempts == 0
    probe_answers.set()
    await probing


async def test_what_answers_tell_of_a_target_counts_for_the_next_request() -> None:
    asked = Asked(targets=TARGETS[:2])
    assert asked.failover.remaining(TARGETS[0]) == Remaining(tokens=1000, requests=100)
    assert asked.failover.remaining(TARGETS[2]) is None
    asked.failover.answered(TARGETS[0], (("x-ratelimit-remaining-tokens", "399"),))
    assert await served(asked, LOW, HIGH) == "ba"
    assert asked.failover.remaining(TARGETS[0]) == Remaining(tokens=299, requests=99)


@given(st.lists(st.tuples(st.sampled_from([HIGH, LOW]), st.floats(0, 20)), max_size=40))
async def test_a_high_request_is_never_refused_by_lanes(
    arrivals: list[tuple[Demand, float]],
) -> None:
    asked = Asked(targets=TARGETS[:1])
    for demand, after_s in arrivals:
        asked.clock.s += after_s
        if demand is HIGH:
            assert await asked.run(HIGH) == ("a", 1)
            continue
        left = asked.failover.remaining(TARGETS[0])
        assert left is not None
        assert left.tokens is not None
        if left.tokens >= 400:
            assert await asked.run(LOW) == ("a", 1)
        else:
            await asked.refused()

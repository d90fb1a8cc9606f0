"""The load scenarios of the APIM GenAI gateway toolkit, with assertions, on simulated regions."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Coroutine, Iterable, Iterator
from datetime import UTC, datetime
from math import sqrt
from random import Random
from typing import Any, cast

import msgspec
import pytest
from load.priorities import LARGE, SMALL, Asked, Call, Spell, asked, chat, embed
from load.toolkit import TENANTS, Limit, Place, Reply, Toolkit, passing, toolkit
from proxying import FakeClock

from tollgate.local.simulator.deployments import DeploymentChange
from tollgate.local.simulator.faults import Throttle
from tollgate.proxy.metering import Clock
from tollgate.usage.tokens import Tokens

CALLS = 400
REAL_TIME = Clock(lambda: datetime.now(UTC), time.monotonic)  # noqa: TID251  real latencies
LOW_TOKENS, LOW_REQUESTS = (
    f"{what}-below-low-priority-threshold" for what in ("tokens", "requests")
)


def shares(replies: Iterable[Reply]) -> Counter[str]:
    return Counter(reply.backend for reply in replies)


def statuses(replies: Iterable[Reply | Asked]) -> set[int]:
    return {reply.status for reply in replies}


# 1 and 2: round-robin, simple and weighted


@pytest.mark.parametrize(("weights", "share"), [((1, 1), 1 / 2), ((2, 1), 2 / 3)])
async def test_round_robin_shares_by_weight(weights: tuple[int, int], share: float) -> None:
    first, second = weights
    places = {"payg1": Place(weight=first), "payg2": Place(weight=second)}
    replies: list[Reply] = []
    async with toolkit(places, FakeClock().clock) as on:
        for _ in range(CALLS // 20):
            replies += await asyncio.gather(*(on.chat("chat", 10) for _ in range(20)))
    assert statuses(replies) == {200}
    five_sigma = 5 * sqrt(CALLS * share * (1 - share))
    assert abs(shares(replies)["payg1"] - CALLS * share) < five_sigma


# 3: latency routing; a look at the other region is due once in a stale window

FAST_MS, SLOW_MS, ANSWER_TOKENS, STALE_S = 0.05, 1.5, 100, 0.8


async def two_users(on: Toolkit, seconds: float) -> list[Reply]:
    until_s = time.monotonic() + seconds

    async def user() -> list[Reply]:
        replies: list[Reply] = []
        while time.monotonic() < until_s:
            replies.append(await on.chat("chat", ANSWER_TOKENS))
        return replies

    first, second = await asyncio.gather(user(), user())
    return first + second


def at_latency(on: Toolkit, name: str, token_latency_ms: float) -> None:
    change = DeploymentChange(token_latency_ms=token_latency_ms)
    on.regions[name].deployments.change("chat", change)


def but_for_looks(replies: list[Reply], name: str, seconds: float) -> None:
    """All go there, but for the looks at the other: up to one for each user and stale window."""
    others = [reply for reply in replies if reply.backend != name]
    assert len(others) <= 2 * (seconds / STALE_S + 1)
    assert len(others) < len(replies) / 4


async def test_latency_routing_follows_a_swap_within_the_stale_window() -> None:
    places = {"payg1": Place(token_latency_ms=FAST_MS), "payg2": Place(token_latency_ms=SLOW_MS)}
    routing = {"latency": {"stale_s": STALE_S}}
    async with toolkit(places, REAL_TIME, routing=routing) as on:
        await two_users(on, 0.3)  # each region is looked at for the first time
        before = await two_users(on, 1.5)
        at_latency(on, "payg1", SLOW_MS)
        at_latency(on, "payg2", FAST_MS)
        stale = await two_users(on, STALE_S + 0.5)
        after = await two_users(on, 1.5)
    but_for_looks(before, "payg1", 1.5)
    but_for_looks(after, "payg2", 1.5)
    assert statuses(before + stale + after) == {200}


async def test_a_throttled_preferred_region_hands_over_to_the_less_preferred() -> None:
    places = {"payg1": Place(token_latency_ms=FAST_MS), "payg2": Place(token_latency_ms=SLOW_MS)}
    async with toolkit(places, REAL_TIME, routing={"latency": {"stale_s": 60}}) as on:
        await two_users(on, 0.3)
        on.regions["payg1"].faults.add(Throttle(retry_after_s=30))
        replies = [await on.chat("chat", ANSWER_TOKENS) for _ in range(5)]
    assert statuses(replies) == {200}
    assert shares(replies) == {"payg2": 5}
    assert [reply.headers["x-tollgate-attempts"] for reply in replies] == ["2", "1", "1", "1", "1"]


# 4: spikes go to what is paid by use

CALM_S, SPIKE_S = 180, 180


def users_of_a_spike(on: Toolkit) -> Iterator[list[Coroutine[Any, Any, Reply]]]:
    """Two users, then six, each with 1,000 tokens every two seconds: 60 a minute, then 180."""
    for second in range(CALM_S + SPIKE_S):
        users = 2 if second < CALM_S else 6
        yield [on.chat("chat", 1000) for user in range(users) if (user + second) % 2 == 0]


async def test_a_spike_overflows_from_provisioned_to_paid_by_use_and_nobody_is_refused() -> None:
    clock = FakeClock()
    places = {"ptu1": Place(ptu=True, limit=Limit(100_000)), "payg1": Place(priority=2)}
    async with toolkit(places, clock.clock) as on:
        replies = await passing(clock, users_of_a_spike(on))
        throttled = sum(entry.status == 429 for entry in on.regions["ptu1"].log)
    calm = [reply for reply in replies if reply.at_s < 1000 + CALM_S]
    spike = [reply for reply in replies if reply.at_s >= 1000 + CALM_S]
    assert statuses(replies) == {200}
    assert shares(calm) == {"ptu1": 180}
    assert shares(spike) == {"ptu1": 300, "payg1": 240}  # 100 a minute is what the PTU takes
    assert throttled <= 3 * 3  # once a minute, by those who are on their way together


# 5: prioritisation

NINE_LOW = Spell(seconds=120, low=9)
NINE_HIGH = Spell(seconds=120, high=9)
ALL_EIGHTEEN = Spell(seconds=120, low=9, high=9)
# Of the 70 a minute that low ones may take: the gateway's window is up to a twelfth longer than a
# minute, and what a region said is left may be as old as that.
ENOUGH = 50


async def played(*spells: Spell) -> tuple[list[Asked], list[int | None]]:
    """What users were answered, and what the region answered."""
    clock = FakeClock()
    async with toolkit({"ptu1": Place(ptu=True, limit=LARGE)}, clock.clock) as on:
        found = await asked(on, clock, spells)
        return found, [entry.status for entry in on.regions["ptu1"].log]


def served(found: Iterable[Asked], **where: object) -> int:
    """How many of these calls were answered well."""
    return sum(
        each.status == 200 and all(getattr(each, name) == is_ for name, is_ in where.items())
        for each in found
    )


async def test_low_priority_is_served_only_while_high_priority_is_idle() -> None:
    found, _ = await played(NINE_LOW, ALL_EIGHTEEN, NINE_HIGH, ALL_EIGHTEEN, NINE_LOW)
    assert min(served(found, lane="low", minute=minute) for minute in (0, 1, 9)) > ENOUGH
    assert served(found, lane="low", spell=1) <= 3  # while the first minute of high ones fills up
    assert served(found, lane="low", spell=3) == 0
    assert {each.reply.reason for each in found if each.lane == "low"} == {None, LOW_TOKENS}


async def test_high_priority_is_refused_by_nothing_but_the_region_s_own_limit() -> None:
    found, _ = await played(NINE_LOW, ALL_EIGHTEEN, NINE_HIGH, ALL_EIGHTEEN, NINE_LOW)
    refused = [each for each in found if each.lane == "high" and each.status != 200]
    assert {each.reply.reason for each in refused} == {None}
    used_up = {minute: served(found, minute=minute) for minute in {each.minute for each in refused}}
    assert set(used_up.values()) == {100}  # thousands of tokens: all that the region has


async def test_low_priority_alone_leaves_what_is_kept_back() -> None:
    found, region = await played(Spell(seconds=300, low=9))
    by_minute = [served(found, minute=minute) for minute in range(5)]
    assert min(by_minute) > ENOUGH
    assert max(by_minute) <= 70
    assert set(region) == {200}
    assert {each.reply.reason for each in found if each.status == 429} == {LOW_TOKENS}
    assert {int(each.reply.headers["retry-after"]) > 0 for each in found if each.status == 429}


async def test_high_priority_alone_takes_all_that_there_is() -> None:
    found, region = await played(Spell(seconds=300, high=9))
    assert [served(found, minute=minute) for minute in range(5)] == [100] * 5
    assert 429 in region


@pytest.mark.parametrize(
    ("call", "reason", "most_low"), [(chat, LOW_TOKENS, 7), (embed, LOW_REQUESTS, 6 * 7)]
)
async def test_small_deployments_keep_a_part_back_of_either_kind(
    call: Call, reason: str, most_low: int
) -> None:
    clock = FakeClock()
    async with toolkit({"ptu1": Place(limit=SMALL)}, clock.clock, ("chat", "embedding")) as on:
        low = await asked(on, clock, [Spell(seconds=60, low=9)], call)
        high = await call(on, "high")
    assert 1 < served(low) <= most_low
    assert {each.reply.reason for each in low} == {None, reason}
    assert high.status == 200
    for reply in [high, *(each.reply for each in low if each.status == 200)]:
        assert int(reply.headers["x-tollgate-remaining-tokens"]) >= 0
        assert int(reply.headers["x-tollgate-remaining-requests"]) >= 0


async def test_an_unknown_deployment_is_not_found() -> None:
    async with toolkit({"ptu1": Place(limit=LARGE)}, FakeClock().clock) as on:
        assert (await on.chat("nowhere", 10)).status == 404


# 6: usage tracking


async def test_tokens_are_tracked_for_each_tenant_and_are_those_that_regions_billed() -> None:
    random, told = Random(6), defaultdict[str, int](int)  # noqa: S311  a mix, not secrets
    async with toolkit({"payg1": Place(), "payg2": Place()}, FakeClock().clock) as on:
        for _ in range(300):
            tenant = random.choice(TENANTS)
            reply = await on.chat("chat", random.randint(5, 20), tenant=tenant)
            told[tenant] += msgspec.json.decode(reply.body)["usage"]["total_tokens"]
    tracked = defaultdict[str, int](int)
    for event in on.events:
        tokens = event.data.tokens or Tokens(input=0, output=0)
        tracked[event.data.tenant] += tokens.input + tokens.output
    logs = [region.log for region in on.regions.values()]
    billed = [cast("dict[str, int]", entry.usage) for log in logs for entry in log]
    assert tracked == told
    assert len(set(tracked.values())) == len(TENANTS)
    assert sum(tracked.values()) == sum(usage["total_tokens"] for usage in billed)

"""Two instances of the gateway that share their circuits through a real Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, cast
from uuid import uuid4

import pytest
from proxying import FakeClock
from redis.asyncio import Connection, Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tollgate.proxy.breaker import REFUSED, BreakerRules, Breakers, Circuit, Failure
from tollgate.proxy.shared_circuits import SharedCircuits

pytest_plugins = ["servers"]

A: Circuit = ("weu-1", "mini")
NEARLY = 0.5  # what the exchange itself may take, in seconds


class Cable:
    """Between the instances and Redis; it can be pulled."""

    is_pulled = False


class Unreliable(Connection):
    """Breaks while the cable is pulled."""

    cable: Cable

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        if self.cable.is_pulled:
            raise RedisConnectionError("the cable is pulled")
        await cast("Any", super()).send_packed_command(*args, **options)


class Instance:
    """A gateway's breakers; they share one clock, and exchange when the test says so."""

    def __init__(self, redis: Redis, clock: FakeClock, key: str) -> None:
        self.clock = clock
        self.breakers = Breakers(BreakerRules())
        self.shared = SharedCircuits(redis, self.breakers, clock.steady_s, key=key, every_s=0.02)

    def fail(self, circuit: Circuit = A, wait_s: float = 10) -> None:
        self.breakers.failed(circuit, self.clock.s, Failure(throttled=True, retry_after_s=wait_s))

    def enter(self, circuit: Circuit = A) -> bool:
        self.ticket = self.breakers.enter(circuit, self.clock.s)
        return self.ticket != REFUSED

    def succeed(self) -> None:
        """What entered last comes back."""
        self.breakers.succeeded(A, self.ticket)

    def wait_s(self, circuit: Circuit = A) -> float:
        return self.breakers.wait_s(circuit, self.clock.s)


class World:
    """Two instances, one clock, one Redis."""

    def __init__(self, redis: Any, cable: Cable) -> None:
        self.redis, self.cable = redis, cable
        self.key = f"circuits-{uuid4().hex}"
        self.clock = FakeClock()
        self.one, self.two = (Instance(redis, self.clock, self.key) for _ in range(2))

    async def exchange(self) -> None:
        for instance in (self.one, self.two, self.one):
            await instance.shared.exchange()


@pytest.fixture
async def world(redis_server: str) -> AsyncIterator[World]:
    cable = Cable()
    async with Redis.from_url(redis_server, retry=None) as redis:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        redis.connection_pool.connection_class = type("Plugged", (Unreliable,), {"cable": cable})
        yield World(redis, cable)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  nothing tells of it
            await asyncio.sleep(0.005)


async def test_a_circuit_that_one_instance_opens_is_open_for_the_other(world: World) -> None:
    world.one.fail()
    assert world.two.enter()
    await world.exchange()
    assert not world.two.enter()
    assert world.two.breakers.is_throttled(A, world.clock.s)
    assert world.two.enter(("weu-1", "gpt-4o"))


async def test_who_opened_a_circuit_probes_it_first(world: World) -> None:
    world.one.fail()
    await world.exchange()
    assert world.one.wait_s() == 10
    assert 12 - NEARLY <= world.two.wait_s() <= 12
    world.clock.s += 10
    assert [world.two.enter(), world.one.enter()] == [False, True]


async def test_the_other_probes_when_the_opener_does_not(world: World) -> None:
    world.one.fail()
    await world.exchange()
    world.clock.s += 12
    assert [world.two.enter(), world.two.enter()] == [True, False]


async def test_a_close_by_the_opener_is_seen_at_the_next_exchange(world: World) -> None:
    world.one.fail()
    await world.exchange()
    world.clock.s += 10
    world.one.enter()
    world.one.succeed()
    await world.exchange()
    assert [world.two.enter(), world.two.enter()] == [True, True]


async def test_an_older_success_closes_nothing_for_nobody(world: World) -> None:
    world.two.enter()
    world.one.fail()
    await world.exchange()
    older, world.clock.s = world.two.ticket, world.clock.s + 12
    world.two.enter()
    world.two.breakers.succeeded(A, older)
    await world.exchange()
    assert not world.two.enter()
    assert await world.redis.exists(world.key)


async def test_a_probe_that_fails_keeps_it_open_everywhere(world: World) -> None:
    world.one.fail(wait_s=1)
    await world.exchange()
    world.clock.s += 1
    world.one.enter()
    world.one.fail(wait_s=20)
    await world.exchange()
    assert 22 - NEARLY <= world.two.wait_s() <= 22


@pytest.mark.parametrize(("first_s", "second_s"), [(10, 12), (12, 10), (12, 12), (11.9, 12)])
async def test_of_two_that_opened_a_circuit_one_probes(
    world: World, first_s: float, second_s: float
) -> None:
    world.one.fail(wait_s=first_s)
    world.two.fail(wait_s=second_s)
    for _ in range(3):
        await world.exchange()
    world.clock.s += 12
    assert [world.one.enter(), world.two.enter()].count(True) == 1


async def test_late_failures_at_both_do_not_add_up(world: World) -> None:
    for _ in range(5):
        for instance in (world.one, world.two):
            instance.fail(wait_s=10)
            await world.exchange()
    assert max(world.one.wait_s(), world.two.wait_s()) <= 12


@pytest.mark.parametrize("name", ['","', "]", "a 1 b\n", "Zürich", "%s {} :*", ""])
async def test_names_are_data(world: World, name: str) -> None:
    circuits = [(name, "mini"), ("mini", name)]
    for circuit in circuits:
        world.one.fail(circuit)
    await world.exchange()
    assert not any(world.two.enter(circuit) for circuit in circuits)
    assert world.two.enter(("mini", "mini"))


@pytest.mark.parametrize("entry", ["", "soon 1 x", "99999999999999", "[]"])
async def test_what_somebody_else_has_put_there_opens_nothing(world: World, entry: str) -> None:
    await world.redis.hset(world.key, '["weu-1","mini"]', entry)
    for name in ("mini", '["weu-1"]', '["weu-1",1]', "\udcff".encode(errors="surrogateescape")):
        await world.redis.hset(world.key, name, "99999999999999 1 x")
    world.one.fail(("neu-1", "mini"))
    await world.exchange()
    assert world.two.enter()
    assert not world.two.enter(("neu-1", "mini"))


@pytest.mark.parametrize("until_ms", [1000, 10**14])
async def test_entries_are_trimmed_and_the_key_expires_by_itself(
    world: World, until_ms: int
) -> None:
    await world.redis.hset(world.key, '["old","mini"]', f"{until_ms} 1 gone")
    world.one.fail()
    await world.exchange()
    assert list(await world.redis.hgetall(world.key)) == [b'["weu-1","mini"]']
    assert 17_000 < await world.redis.pttl(world.key) <= 18_000


async def test_nothing_is_left_in_redis_when_all_circuits_are_closed(world: World) -> None:
    world.one.fail(wait_s=0)
    await world.exchange()
    world.one.enter()
    world.one.succeed()
    await world.exchange()
    assert await world.redis.exists(world.key) == 0


async def test_what_happens_while_redis_is_away_is_told_when_it_is_back(world: World) -> None:
    world.cable.is_pulled = True
    world.one.fail()
    world.one.fail(("neu-1", "mini"), wait_s=1)
    with pytest.raises(RedisConnectionError):
        await world.exchange()
    assert not world.one.enter()
    world.cable.is_pulled = False
    world.clock.s += 3
    await world.exchange()
    assert 9 - NEARLY <= world.two.wait_s() <= 9
    assert world.two.enter(("neu-1", "mini"))


async def test_what_redis_has_forgotten_is_told_again(world: World) -> None:
    world.one.fail()
    await world.exchange()
    await world.redis.delete(world.key)
    await world.exchange()
    assert not world.two.enter()


async def test_a_close_while_redis_is_away_is_told_when_it_is_back(world: World) -> None:
    world.one.fail()
    await world.exchange()
    world.cable.is_pulled = True
    world.clock.s += 10
    world.one.enter()
    world.one.succeed()
    with pytest.raises(RedisConnectionError):
        await world.one.shared.exchange()
    world.cable.is_pulled = False
    await world.exchange()
    assert [world.two.enter(), world.two.enter()] == [True, True]


async def test_it_runs_beside_the_requests_and_warns_once_of_an_outage(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "tollgate.proxy.shared_circuits")
    world.cable.is_pulled = True
    tasks = [asyncio.create_task(each.shared.run()) for each in (world.one,)]
    await until(lambda: len(caplog.messages) > 0)
    world.one.fail()
    await asyncio.sleep(0.1)
    assert caplog.messages == ["open circuits are not shared with other instances: ConnectionError"]
    world.cable.is_pulled = False
    await until(lambda: len(caplog.messages) > 1)
    tasks.append(asyncio.create_task(world.two.shared.run()))
    await until(lambda: not world.two.enter())
    assert caplog.messages[1:] == ["open circuits are shared with other instances again"]
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

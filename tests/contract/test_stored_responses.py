"""Every store of responses keeps the same promises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import fakeredis
import pytest
from builders import NOON
from stored import RESPONSE, pending_event, stored, waiting

from tollgate.connections.redis import open_redis
from tollgate.proxy.stored_in_memory import MemoryResponses
from tollgate.proxy.stored_in_redis import RedisResponses
from tollgate.proxy.stored_nearby import CachedResponses
from tollgate.proxy.stored_responses import ResponseStore

pytest_plugins = ["servers"]

STORES = ["memory", "fake redis", "redis_server", "cached"]
OpenStore = Callable[[float], ResponseStore]


@pytest.fixture(params=STORES)
async def open_store(request: pytest.FixtureRequest) -> AsyncIterator[OpenStore]:
    """Opens a store with leases of so many seconds."""
    if request.param == "memory":
        yield lambda lease_s: MemoryResponses(time.monotonic, lease_s=lease_s)
        return
    if request.param != "redis_server":
        async with fakeredis.FakeAsyncRedis() as client:

            def on_fake(lease_s: float) -> ResponseStore:
                store = RedisResponses(client, lease_s=lease_s)
                if request.param == "fake redis":
                    return store
                return CachedResponses(store, MemoryResponses(time.monotonic))

            yield on_fake
        return
    async with open_redis(request.getfixturevalue("redis_server")) as client:
        await client.flushall()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        yield lambda lease_s: RedisResponses(client, lease_s=lease_s)


@pytest.fixture
def store(open_store: OpenStore) -> ResponseStore:
    return open_store(60.0)


async def test_what_was_kept_is_found_as_it_was(store: ResponseStore) -> None:
    await store.keep(waiting())
    await store.keep(stored("resp_2", alias="ä{b}*\n", query="a=1&b=%20"))
    assert await store.find(RESPONSE, "contoso") == waiting()
    assert await store.find("resp_2", "contoso") == stored(
        "resp_2", alias="ä{b}*\n", query="a=1&b=%20"
    )


@pytest.mark.parametrize("response_id", ["", "resp_1:pending", "*", "}{", "x" * 5000])
async def test_what_was_not_kept_is_unknown(store: ResponseStore, response_id: str) -> None:
    await store.keep(waiting())
    assert await store.find(response_id, "contoso") is None


async def test_a_response_of_another_tenant_is_out_of_reach(store: ResponseStore) -> None:
    await store.keep(waiting())
    assert await store.find(RESPONSE, "fabrikam") is None
    assert await store.settle(RESPONSE, "fabrikam") is None
    await store.forget(RESPONSE, "fabrikam")
    await store.settled(RESPONSE, "fabrikam")
    await store.postpone(RESPONSE, "fabrikam", NOON + timedelta(days=1))
    assert await store.pending(NOON, 10) == [waiting()]
    assert await store.settle(RESPONSE, "contoso") == pending_event()


async def test_the_same_id_of_two_tenants_is_two_responses(store: ResponseStore) -> None:
    theirs = stored(tenant="fabrikam", backend="neu-1")
    await store.keep(stored())
    await store.keep(theirs)
    await store.forget(RESPONSE, "contoso")
    assert await store.find(RESPONSE, "contoso") is None
    assert await store.find(RESPONSE, "fabrikam") == theirs


async def test_names_that_run_together_are_told_apart(store: ResponseStore) -> None:
    await store.keep(stored("b/c", tenant="a"))
    assert await store.find("c", "a/b") is None


async def test_a_forgotten_response_is_unknown_and_waits_no_more(store: ResponseStore) -> None:
    await store.keep(waiting())
    await store.forget(RESPONSE, "contoso")
    await store.forget(RESPONSE, "contoso")
    assert await store.find(RESPONSE, "contoso") is None
    assert await store.settle(RESPONSE, "contoso") is None
    assert await store.pending(NOON, 10) == []


async def test_of_many_callers_one_gets_the_pending_event(store: ResponseStore) -> None:
    await store.keep(waiting())
    taken = await asyncio.gather(*(store.settle(RESPONSE, "contoso") for _ in range(50)))
    assert [event for event in taken if event] == [pending_event()]


async def test_nothing_is_taken_where_nothing_waits(store: ResponseStore) -> None:
    await store.keep(stored())
    assert await store.settle(RESPONSE, "contoso") is None
    assert await store.settle("unknown", "contoso") is None
    await store.settled("unknown", "contoso")
    assert await store.find("unknown", "contoso") is None


async def test_a_settled_response_is_still_known_but_waits_no_more(store: ResponseStore) -> None:
    await store.keep(waiting())
    await store.settle(RESPONSE, "contoso")
    await store.settled(RESPONSE, "contoso")
    assert await store.find(RESPONSE, "contoso") == stored()
    assert await store.settle(RESPONSE, "contoso") is None
    assert await store.pending(NOON, 10) == []


async def test_an_event_whose_taker_died_is_there_for_the_next(open_store: OpenStore) -> None:
    store = open_store(0.05)
    await store.keep(waiting())
    assert await store.settle(RESPONSE, "contoso") == pending_event()
    assert await store.settle(RESPONSE, "contoso") is None
    assert await store.pending(NOON, 10) == [waiting()]
    await asyncio.sleep(0.1)
    assert await store.settle(RESPONSE, "contoso") == pending_event()


async def test_the_longest_due_come_first(store: ResponseStore) -> None:
    for number in (2, 0, 3, 1):
        await store.keep(waiting(f"r{number}", created_at=NOON + timedelta(seconds=number)))
    await store.keep(stored("not pending"))
    found = await store.pending(NOON + timedelta(seconds=2), 10)
    assert [response.response_id for response in found] == ["r0", "r1", "r2"]
    found = await store.pending(NOON + timedelta(seconds=2), 2)
    assert [response.response_id for response in found] == ["r0", "r1"]


async def test_a_postponed_response_is_due_when_it_was_said(store: ResponseStore) -> None:
    await store.keep(waiting())
    until = NOON + timedelta(seconds=40)
    await store.postpone(RESPONSE, "contoso", until)
    await store.keep(waiting())  # a repeated write
    assert await store.pending(until - timedelta(milliseconds=1), 10) == []
    assert await store.pending(until, 10) == [waiting()]


async def test_what_does_not_wait_is_not_made_to_by_postponing(store: ResponseStore) -> None:
    await store.keep(stored())
    await store.postpone(RESPONSE, "contoso", NOON)
    await store.postpone("unknown", "contoso", NOON)
    assert await store.pending(NOON, 10) == []

"""A ledger on three masters: every part of it, whatever slot a tenant lies in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from builders import NOON
from ledgers import Ledger, completion, measured, pending, redis_ledger
from redis_clusters import NODES

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.errors import StoreUnavailable
from tollgate.events.awaited import FIRST_LOOK, AwaitedEvents
from tollgate.events.dead_letters import DeadLetter, RedisDeadLetters
from tollgate.ledger.kept_aside import KeptAsideEvents
from tollgate.ledger.keys import TenantKeys
from tollgate.ledger.outcome import KeptAside
from tollgate.ledger.redis_reader import RedisReader
from tollgate.ledger.safety import ledger_warnings

pytest_plugins = ["servers", "certificates", "redis_clusters"]

TENANTS = [f"tenant-{number}" for number in range(12)]


@pytest.fixture
async def ledger(redis_cluster: str) -> AsyncIterator[Ledger]:
    async with redis_ledger(redis_cluster) as opened:
        yield opened


@pytest.fixture
def admin(redis_cluster: str) -> Iterator[Any]:
    """A client of which pyright asks nothing: redis-py's types are loose."""
    with open_redis_sync(redis_cluster) as client:
        yield client


async def test_tenants_of_all_nodes_are_counted_in_one_call(ledger: Ledger, admin: Any) -> None:
    events = [
        make(kind, tenant=tenant)
        for tenant in TENANTS
        for kind, make in [("a", measured), ("b", pending), ("b", completion), ("c", completion)]
    ]
    assert await ledger.apply(*events) == ["applied", "applied", "completed", "applied"] * 12
    assert set(await ledger.apply(*events)) == {"duplicate"}
    assert ledger.reader.tenants() == sorted(TENANTS)
    assert {cell.tenant: 0 for cell in ledger.cells().users}.keys() == set(TENANTS)
    nodes = {
        admin.get_node_from_key(TenantKeys("tollgate", tenant).hours).port for tenant in TENANTS
    }
    assert len(nodes) == NODES


async def test_what_is_kept_aside_is_found(ledger: Ledger) -> None:
    for tenant in TENANTS:
        await ledger.apply(measured(tenant=tenant), measured(tenant=tenant, status=201))
        assert ledger.reader.kept_aside(tenant) == KeptAside(conflicts=1, late=0)


async def test_dead_letters_are_kept(redis_cluster: str) -> None:
    letters = [
        DeadLetter(reason="x", source="test", received=NOON, body=b"%d" % number)
        for number in range(3)
    ]
    async with open_redis(redis_cluster) as redis:
        kept = RedisDeadLetters(redis)
        await kept.keep(letters)
        assert sorted(await kept.all(), key=lambda letter: letter.body) == letters
        for letter in letters:
            await kept.remove(letter.id)
        assert await kept.all() == []


async def test_what_waits_to_be_backfilled_is_kept(redis_cluster: str, ledger: Ledger) -> None:
    del ledger  # empty
    async with open_redis(redis_cluster) as redis:
        awaited = AwaitedEvents(redis, "gw-apim")
        events = [pending("a"), pending("b"), measured("c", gateway="gw-apim")]
        await awaited.before(events, NOON)
        soon = NOON + FIRST_LOOK
        assert {each.event.id for each in await awaited.due(soon, 100)} == {"a", "b"}
        assert await awaited.unseen({"c": NOON, "d": NOON}) == {"d"}
        await awaited.look_again([events[0].key], soon + FIRST_LOOK)
        await awaited.settle([events[1].key], soon)
        assert await awaited.due(soon, 100) == []
        await awaited.set_since(NOON)
        assert (await awaited.count(), await awaited.since()) == (1, NOON)


async def test_what_is_kept_aside_is_read(redis_cluster: str, ledger: Ledger) -> None:
    conflicts = [measured(tenant=tenant, status=201) for tenant in TENANTS]
    await ledger.apply(*(measured(tenant=tenant) for tenant in TENANTS), *conflicts)
    async with open_redis(redis_cluster) as redis:
        aside = KeptAsideEvents(redis)
        found = [event.raw async for event in aside.scan("conflict")]
        assert sorted(found) == sorted(each.raw for each in conflicts)
        assert await aside.count() == KeptAside(conflicts=len(TENANTS), late=0)


async def test_the_settings_of_every_node_are_looked_at(redis_cluster: str, admin: Any) -> None:
    last = admin.get_primaries()[-1]
    async with open_redis(redis_cluster) as redis:
        [warning] = await ledger_warnings(redis)
        assert warning.startswith("appendonly is no")
        admin.config_set("maxmemory-policy", "allkeys-lru", target_nodes=last)
        try:
            assert len(await ledger_warnings(redis)) == 2
        finally:
            admin.config_set("maxmemory-policy", "noeviction", target_nodes=last)


async def test_a_forgotten_script_is_loaded_again(ledger: Ledger, admin: Any) -> None:
    await ledger.apply(measured("a"))
    admin.script_flush()
    assert await ledger.apply(measured("b")) == ["applied"]


async def test_a_slot_that_moves_counts_nothing_by_halves(ledger: Ledger, admin: Any) -> None:
    """Half of a moving slot's keys are gone already: the call fails whole, and later succeeds."""
    await ledger.apply(*(measured(str(number)) for number in range(100)))
    slot = admin.keyslot(TenantKeys("tollgate", "contoso").hours)
    here = admin.get_node_from_key(TenantKeys("tollgate", "contoso").hours)
    there = next(node for node in admin.get_primaries() if node.port != here.port)
    ids = [admin.cluster_myid(target_node=node) for node in (here, there)]
    admin.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0], target_nodes=there)
    admin.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1], target_nodes=here)
    try:
        before = ledger.cells()
        again = asyncio.create_task(ledger.apply(*(measured(f"new-{n}") for n in range(100))))
        with pytest.raises(StoreUnavailable):
            await again
        assert ledger.cells() == before
    finally:
        for node in (there, here):
            admin.execute_command("CLUSTER", "SETSLOT", slot, "STABLE", target_nodes=node)
    assert await ledger.apply(measured("new-1")) == ["applied"]
    assert ledger.cells().money[0].usage.requests == 101


@pytest.mark.usefixtures("known_name")
async def test_a_ledger_on_a_cluster_with_tls_whose_nodes_announce_addresses(
    redis_cluster_with_tls: str,
) -> None:
    async with redis_ledger(redis_cluster_with_tls) as ledger:
        events = [measured(tenant=tenant) for tenant in TENANTS]
        assert set(await ledger.apply(*events)) == {"applied"}
        assert {cell.tenant for cell in ledger.cells().money} == set(TENANTS)


async def test_a_cluster_that_is_away_takes_no_dead_letter_and_no_note() -> None:
    letter = DeadLetter(reason="x", source="test", received=NOON, body=b"x")
    async with aclosing(open_redis("redis://127.0.0.1:1?cluster=true")) as away:
        with pytest.raises(StoreUnavailable):
            await RedisDeadLetters(away).keep([letter])
        with pytest.raises(StoreUnavailable):
            await AwaitedEvents(away).before([pending()], NOON)
        with pytest.raises(StoreUnavailable):
            await KeptAsideEvents(away).count()


def test_a_cluster_that_is_away_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="no node of the cluster answers"):
        RedisReader(open_redis_sync("redis://127.0.0.1:1?cluster=true"))

"""Rebuilding while the ledger is in use, and when something goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from builders import NOON, raw_event
from captures import write_capture
from ledgers import completion, measured, memory_ledger, pending
from rebuilding import LATER, Books, empty_books

from tollgate.errors import DamagedFile, InvalidEvent, SettingsError
from tollgate.ledger import rebuild as rebuild_module
from tollgate.ledger.archive import Archive
from tollgate.ledger.archive_files import archive_files
from tollgate.ledger.cells import OVERFLOW
from tollgate.ledger.generation import Generations, Superseded, namespace_of
from tollgate.ledger.kept_aside import KeptAsideEvents
from tollgate.ledger.outcome import KeptAside, LedgerLimits
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.usage.event import decode_event

pytest_plugins = ["servers", "certificates", "redis_clusters"]
pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)


@pytest.fixture
async def books(redis_server: str) -> AsyncIterator[Books]:
    async with empty_books(redis_server) as opened:
        yield opened


async def test_writers_that_go_on_meanwhile_lose_nothing(books: Books) -> None:
    events = [measured(f"r{n}", NOON + n % 30 * HOUR, user=f"u{n % 9}") for n in range(3_000)]
    await books.take(events[:1_000])

    async def write(some: list[Any]) -> None:
        for start in range(0, len(some), 20):
            await books.take(some[start : start + 20])
            await asyncio.sleep(0.002)

    async def rebuild_often() -> None:
        for _ in range(3):
            await books.rebuilt()

    await asyncio.gather(write(events[1_000:2_000]), write(events[2_000:]), rebuild_often())
    twin = memory_ledger()
    await twin.apply(*events)
    assert books.cells() == twin.cells()
    assert set(await books.apply(events)) == {"duplicate"}
    assert books.audited().is_clean


async def test_what_a_writer_still_adds_to_the_old_generation_is_counted(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    await books.take([measured("a"), pending("b")])
    switch = Generations.switch

    async def slow_writer(generations: Generations, number: int) -> None:
        some = [measured("c"), completion("b", NOON + HOUR)]
        Archive(books.folder).append(some)  # it asks for the generation now, and is held up
        await switch(generations, number)
        await RedisLedger(books.redis, namespace=namespace_of(0)).apply(some, now=LATER)

    monkeypatch.setattr(Generations, "switch", slow_writer)
    rebuilt = await books.rebuilt()
    twin = memory_ledger()
    await twin.apply(measured("a"), pending("b"), measured("c"), completion("b", NOON + HOUR))
    assert books.cells() == twin.cells()
    assert (rebuilt.events, rebuilt.appended) == (2, 2)


async def test_what_capture_shows_only_after_the_switch_is_counted(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_capture(books.folder, [raw_event("a")])
    await books.apply([measured("a"), measured("b")])
    switch = Generations.switch

    async def capture_is_late(generations: Generations, number: int) -> None:
        await switch(generations, number)
        asyncio.get_running_loop().call_later(0.1, write_capture, books.folder, [raw_event("b")], 5)

    monkeypatch.setattr(Generations, "switch", capture_is_late)
    monkeypatch.setattr(rebuild_module, "_POLL_S", 0.05)
    clock = iter(LATER + timedelta(seconds=0.1 * tick) for tick in range(1_000))
    work = books.rebuild(settle_s=2)
    monkeypatch.setattr(work, "_clock", lambda: next(clock))
    assert (await work.run()).appended == 1
    assert sum(cell.usage.requests for cell in books.cells().money) == 2


async def test_both_kinds_of_archive_together_count_once(books: Books) -> None:
    events = [measured(f"r{n}", NOON + n * HOUR) for n in range(9)]
    await books.take(events[:6])
    await books.apply(events[6:])
    before = books.cells()
    pretty = [event.raw.replace(b',"data"', b',\r\n "data"') for event in events[3:]]
    batch = b"[" + b",".join(pretty) + b"]"
    future = raw_event("f", LATER + HOUR)
    write_capture(books.folder, [batch, b"rubbish", None, future, events[8].raw])
    rebuilt = await books.rebuilt()
    assert (rebuilt.events, rebuilt.duplicates) == (6 + 7 + 1, 4)
    assert rebuilt.refused == 3
    assert books.cells() == before


@pytest.mark.parametrize("kind", ["jsonl", "avro"])
async def test_an_archive_that_cannot_be_read_leaves_the_ledger_as_it_was(
    books: Books, kind: str
) -> None:
    await books.take([measured("a"), measured("b", NOON + HOUR)])
    before = books.cells()
    if kind == "jsonl":
        file = archive_files(books.folder)[-1].path
        file.write_bytes(file.read_bytes() + b"{}\n")
    else:
        file = write_capture(books.folder, [raw_event("c")], 70)
        file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises((InvalidEvent, DamagedFile), match=f"{file}"):
        await books.rebuilt()
    assert books.cells() == before
    redis: Any = books.reading
    assert [key for key in redis.scan_iter() if b":g1:" in key] == []


async def test_a_folder_that_is_not_there_is_said(books: Books) -> None:
    books.folder.rmdir()
    with pytest.raises(SettingsError, match="no archive is there"):
        await books.rebuilt()


async def test_the_rebuild_that_began_last_wins(books: Books) -> None:
    await books.take([measured("a")])
    generations = Generations(books.redis)
    first = await generations.begin()
    await RedisLedger(books.redis, namespace=namespace_of(first)).apply([measured("a")], now=LATER)
    second = await generations.begin()
    redis: Any = books.reading
    assert [key for key in redis.scan_iter() if b":g1:" in key] == []  # it took its place
    with pytest.raises(Superseded):
        await generations.switch(first)
    await generations.switch(second)
    await generations.switch(second)  # as redis-py may repeat it
    assert await generations.current() == second


async def test_what_is_kept_aside_is_that_of_the_generation_in_force(books: Books) -> None:
    await books.take([measured("a")])
    redis: Any = books.reading
    redis.delete("tollgate:{contoso}:ids:2026-10-15T12")
    await books.take([measured("b")])
    aside = KeptAsideEvents(books.redis)
    assert await aside.count() == KeptAside(conflicts=0, late=1)
    await books.rebuilt()
    assert await aside.count() == KeptAside(conflicts=0, late=0)
    conflict = measured("b", status=201)
    await books.take([conflict])
    assert [event.raw async for event in aside.scan("conflict")] == [conflict.raw]


async def test_the_old_generation_can_be_read_to_the_end(books: Books) -> None:
    await books.take([measured("a")])
    await books.rebuilt()
    redis: Any = books.reading
    old = [key for key in redis.scan_iter() if key.startswith(b"tollgate:{")]
    assert old
    assert all(redis.ttl(key) > 0 for key in old)
    assert redis.ttl("tollgate:generation") == -1


async def test_hours_far_back_are_counted_but_not_remembered(books: Books) -> None:
    await books.take([measured("a"), pending("p")])
    await books.rebuilt(NOON + timedelta(days=20))
    again = [measured("a"), measured("new"), completion("p", NOON)]
    outcomes = await books.apply(again, NOON + timedelta(days=20))
    assert outcomes == ["late"] * 3
    assert sum(cell.usage.requests for cell in books.cells().money) == 2


async def test_late_events_are_settled(books: Books) -> None:
    await books.take([measured("a")])
    redis: Any = books.reading
    redis.delete("tollgate:{contoso}:ids:2026-10-15T12")
    assert await books.take([measured("b")]) == ["late"]
    await books.rebuilt()
    assert sum(cell.usage.requests for cell in books.cells().money) == 2
    assert books.aside()["contoso"].late == 0


async def test_an_hour_of_many_ids_goes_on_as_if_it_had_been_counted_one_by_one(
    books: Books,
) -> None:
    events = [measured(f"r{n}") for n in range(1_500)]
    await books.take(events[:1_000])
    await books.rebuilt()
    assert set(await books.take(events[1_000:])) == {"applied"}
    assert set(await books.apply(events)) == {"duplicate"}


async def test_ids_lie_in_the_same_buckets_as_if_they_had_been_counted_one_by_one(
    books: Books,
) -> None:
    hours = [NOON + n % 5 * HOUR for n in range(700)]
    await books.take([measured(f"r{n}", hour) for n, hour in enumerate(hours)])
    rebuilt = await books.rebuilt()
    prefix = namespace_of(rebuilt.generation)
    for span in ("2026-10-15T12", "2026-10-15T16"):
        counted = _ids(books, f"tollgate:{{contoso}}:ids:{span}")
        assert len(counted) > 20
        assert _ids(books, f"{prefix}:{{contoso}}:ids:{span}") == counted


def _ids(books: Books, key: str) -> dict[bytes, list[bytes]]:
    redis: Any = books.reading
    buckets: dict[bytes, bytes] = redis.hgetall(key)
    return {
        bucket: sorted(text[at : at + 26] for at in range(0, len(text), 26))
        for bucket, text in buckets.items()
    }


async def test_names_beyond_the_limits_share_a_cell(redis_server: str) -> None:
    few = LedgerLimits(users_per_day=2, billing_codes=2)
    async with empty_books(redis_server, few) as books:
        names = ["a", "b", "c", "d", None]
        events = [measured(name or "-", billing_code=name, user=name) for name in names]
        events += [pending("p", billing_code="z", user="z")]
        await books.take(events)
        assert books.audited().is_clean
        before = books.cells()
        await books.rebuilt()
        assert books.cells() == before
        assert {cell.user for cell in before.users} == {"a", "b", None, OVERFLOW}
        await books.take([completion("p"), measured("e", billing_code="e", user="a")])
        assert books.audited().is_clean


async def test_an_archive_of_many_pieces_is_the_same(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollgate.ledger.pieces.PIECE_BYTES", 20_000)
    monkeypatch.setattr("tollgate.ledger.id_spool._BUFFER_BYTES", 500)
    monkeypatch.setattr("tollgate.ledger.recount._RECENT", 10)
    monkeypatch.setattr("tollgate.ledger.recount._EVENTS_AT_ONCE", 70)
    events = [measured(f"r{n}", NOON + n % 5 * HOUR, tenant=f"t{n % 3}") for n in range(400)]
    events += [*events[::3], *(pending(f"p{n}") for n in range(9))]
    events += [completion(f"p{n}", NOON + HOUR) for n in range(9)]
    events += [measured("r0", tenant="t0", status=201)]
    await books.take(events)
    before = books.cells(), books.aside()
    await books.rebuilt()
    assert (books.cells(), books.aside()) == before
    assert set(await books.apply(events)) == {"duplicate", "conflict"}
    assert books.audited().differences == []


def test_a_time_that_is_rounded_up_stays_in_its_hour(redis_server: str) -> None:
    raw = raw_event("a").replace(b"12:00:00.000Z", b"12:59:59.9999999Z")

    async def run() -> None:
        async with empty_books(redis_server) as books:
            await books.take([decode_event(raw)])
            before = books.cells()
            await books.rebuilt()
            assert books.cells() == before
            assert [cell.hour for cell in before.money] == ["2026-10-15T12"]

    asyncio.run(run())


async def test_a_ledger_on_a_cluster_is_rebuilt(redis_cluster: str) -> None:
    async with empty_books(redis_cluster) as books:
        events = [measured(f"r{n}", NOON + n % 3 * HOUR, tenant=f"t{n % 9}") for n in range(90)]
        events += [pending("p"), completion("p", NOON + HOUR)]
        await books.take(events)
        before = books.cells()
        await books.rebuilt()
        await books.rebuilt()
        assert books.cells() == before
        assert set(await books.apply(events)) == {"duplicate"}
        assert books.audited().is_clean

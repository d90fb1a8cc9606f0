from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from tollgate.connections.redis import open_redis
from tollgate.errors import StoreUnavailable
from tollgate.events.dead_letters import CUT_TO_BYTES, DeadLetter, RedisDeadLetters

pytest_plugins = ["servers"]

NOW = datetime(2026, 10, 15, 12, 0, tzinfo=UTC)
NOBODY = "redis://127.0.0.1:1"


def letter(body: bytes, minutes: int = 0, source: str = "event-grid") -> DeadLetter:
    received = NOW + timedelta(minutes=minutes)
    return DeadLetter(reason="not JSON", source=source, received=received, body=body)


@pytest.fixture
async def dead_letters(redis_server: str) -> AsyncIterator[RedisDeadLetters]:
    async with open_redis(f"{redis_server}/11") as redis:
        await redis.flushdb()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        yield RedisDeadLetters(redis)


async def test_they_come_back_as_they_were_oldest_first(dead_letters: RedisDeadLetters) -> None:
    late, early = letter(b"late", 5), letter(b"\xff\x00 early", 1)
    await dead_letters.keep([late, early])
    assert await dead_letters.all() == [early, late]


async def test_the_first_reception_of_a_body_stands(dead_letters: RedisDeadLetters) -> None:
    await dead_letters.keep([letter(b"same", 1)])
    await dead_letters.keep([letter(b"same", 9), letter(b"same", 9, source="event-hub")])
    found = await dead_letters.all()
    assert [(kept.source, kept.received.minute) for kept in found] == [
        ("event-grid", 1),
        ("event-hub", 9),
    ]


async def test_one_that_is_removed_is_gone(dead_letters: RedisDeadLetters) -> None:
    await dead_letters.keep([letter(b"one"), letter(b"two")])
    await dead_letters.remove(letter(b"one").id)
    await dead_letters.remove("unheard of")
    assert [kept.body for kept in await dead_letters.all()] == [b"two"]


async def test_one_is_found_by_its_id(dead_letters: RedisDeadLetters) -> None:
    await dead_letters.keep([letter(b"one"), letter(b"two")])
    assert await dead_letters.find(letter(b"one").id) == letter(b"one")
    assert await dead_letters.find("unheard of") is None


async def test_a_scan_shows_each_of_many_once(dead_letters: RedisDeadLetters) -> None:
    many = [letter(b"%d" % number) for number in range(1000)]
    await dead_letters.keep(many)
    found = [each.id async for each in dead_letters.scan()]
    assert sorted(found) == sorted(each.id for each in many)


async def test_a_body_that_no_broker_delivers_is_cut_and_says_so(
    dead_letters: RedisDeadLetters,
) -> None:
    for _ in range(2):
        await dead_letters.keep([letter(b"x" * 1_000_001)])
    (kept,) = await dead_letters.all()
    assert (len(kept.body), kept.cut_from, kept.size_bytes) == (CUT_TO_BYTES, 1_000_001, 1_000_001)
    whole = letter(b"x" * 1_000_000)
    await dead_letters.keep([whole])
    assert await dead_letters.find(whole.id) == whole


async def test_what_comes_beyond_the_bounds_is_counted_and_told(
    dead_letters: RedisDeadLetters, caplog: pytest.LogCaptureFixture, redis_server: str
) -> None:
    async with open_redis(f"{redis_server}/11") as redis:
        two = RedisDeadLetters(redis, max_letters=2)
        await two.keep([letter(b"one"), letter(b"two"), letter(b"three"), letter(b"one")])
        assert sorted(kept.body for kept in await two.all()) == [b"one", b"two"]
        assert "1 refused events are not kept" in caplog.text
        held = await two.held()
        assert (held.letters, held.beyond, held.full) == (2, 1, True)
        await two.remove(letter(b"one").id)
        await two.keep([letter(b"three")])
        assert len(await two.all()) == 2
    roomy = await dead_letters.held()
    assert (roomy.letters, roomy.full) == (2, False)


async def test_bytes_are_bounded_too_and_given_back(
    dead_letters: RedisDeadLetters, redis_server: str
) -> None:
    async with open_redis(f"{redis_server}/11") as redis:
        small = RedisDeadLetters(redis, max_bytes=2_000)
        await small.keep([letter(b"a" * 1_000), letter(b"b" * 1_500)])
        assert [kept.body[:1] for kept in await small.all()] == [b"a"]
        await small.remove(letter(b"a" * 1_000).id)
        held = await dead_letters.held()
        assert (held.letters, held.bytes, held.beyond) == (0, 0, 1)


async def test_a_redis_that_is_away_is_told_and_can_be_tried_again() -> None:
    async with Redis.from_url(NOBODY, retry=None) as redis:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        away = RedisDeadLetters(redis)
        with pytest.raises(StoreUnavailable, match="ConnectionError"):
            await away.keep([letter(b"one")])
        with pytest.raises(StoreUnavailable):
            await away.all()
        with pytest.raises(StoreUnavailable):
            await away.remove("one")
        with pytest.raises(StoreUnavailable):
            await away.find("one")
        with pytest.raises(StoreUnavailable):
            await away.held()

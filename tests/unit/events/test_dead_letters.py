from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from tollgate.connections.redis import open_redis
from tollgate.errors import StoreUnavailable
from tollgate.events.dead_letters import DeadLetter, RedisDeadLetters

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


async def test_a_redis_that_is_away_is_told_and_can_be_tried_again() -> None:
    async with Redis.from_url(NOBODY, retry=None) as redis:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        away = RedisDeadLetters(redis)
        with pytest.raises(StoreUnavailable, match="ConnectionError"):
            await away.keep([letter(b"one")])
        with pytest.raises(StoreUnavailable):
            await away.all()
        with pytest.raises(StoreUnavailable):
            await away.remove("one")

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import raw_event
from closed_months import OCTOBER
from fakeredis import FakeAsyncRedis

from accountant.closing.blockers import Blocker
from accountant.closing.refused_events import dead_letters, kept_aside
from tollgate.events.dead_letters import DeadLetter, RedisDeadLetters
from tollgate.events.refused import set_aside
from tollgate.ledger.keys import NAMESPACE, TenantKeys, tenants_key

RECEIVED = datetime(2026, 10, 20, tzinfo=UTC)
NEXT = datetime(2026, 11, 1, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 5, tzinfo=UTC)


async def aside(redis: FakeAsyncRedis, tenant: str, reason: str, *events: bytes) -> None:
    await redis.sadd(tenants_key(NAMESPACE), tenant)
    for number, raw in enumerate(events):
        await redis.hset(f"{TenantKeys(NAMESPACE, tenant).prefix}{reason}", str(number), raw)


async def test_what_the_ledger_keeps_aside_is_told_by_tenant_kind_and_month() -> None:
    redis = FakeAsyncRedis()
    await aside(redis, "b", "late", raw_event("1"), raw_event("2", SEPTEMBER), raw_event("3", NEXT))
    await aside(redis, "a", "conflict", raw_event("1"), b"of an older version")
    await aside(redis, "c", "late", raw_event("1", NEXT))
    assert await kept_aside(redis, OCTOBER) == [
        Blocker(what="conflict", tenant="a", months={"": 1, "2026-10": 1}),
        Blocker(what="late", tenant="b", months={"2026-09": 1, "2026-10": 1}),
    ]


def letter(body: bytes, received: datetime = RECEIVED) -> DeadLetter:
    return DeadLetter(reason="no event", source="test", received=received, body=body)


async def test_refused_events_are_of_the_month_they_say_or_were_received_in() -> None:
    redis = FakeAsyncRedis()
    bodies = [raw_event("1", SEPTEMBER), b"\xff", b"[1]", b'{"time": "x"}']
    await RedisDeadLetters(redis).keep([letter(body) for body in bodies])
    await RedisDeadLetters(redis).keep([letter(raw_event("2", NEXT), NEXT)])
    [found] = await dead_letters(redis, OCTOBER, None, None)
    assert (found.what, found.months) == ("dead-letter", {"2026-09": 1, "2026-10": 3})


async def test_what_was_not_kept_for_want_of_room_is_told() -> None:
    redis = FakeAsyncRedis()
    await RedisDeadLetters(redis, max_letters=1).keep([letter(b"1"), letter(b"2")])
    kinds = [each.what for each in await dead_letters(redis, OCTOBER, None, None)]
    assert kinds == ["dead-letter", "dead-letter-not-kept"]


async def test_refusals_of_the_topic_and_blobs_are_found_too(tmp_path: Path) -> None:
    set_aside(tmp_path, raw_event("1"))
    set_aside(tmp_path, b"no event")
    (tmp_path / "blob.json").write_text(json.dumps([json.loads(raw_event("2"))]))
    [found] = await dead_letters(FakeAsyncRedis(), OCTOBER, tmp_path, str(tmp_path))
    assert found.months["2026-10"] == 2


async def test_a_time_with_another_offset_is_the_utc_month() -> None:
    redis = FakeAsyncRedis()
    body = b'{"time": "2026-11-01T00:30:00+01:00"}'
    await RedisDeadLetters(redis).keep([letter(body)])
    [found] = await dead_letters(redis, OCTOBER, None, None)
    assert found.months == {"2026-10": 1}


async def test_an_event_is_of_no_month_after_it_was_received() -> None:
    redis = FakeAsyncRedis()
    await RedisDeadLetters(redis).keep([letter(raw_event("1", NEXT))])
    [found] = await dead_letters(redis, OCTOBER, None, None)
    assert found.months == {"2026-10": 1}


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_that_is_none_in_utc_is_no_time(time: str) -> None:
    redis = FakeAsyncRedis()
    await RedisDeadLetters(redis).keep([letter(f'{{"time": "{time}"}}'.encode())])
    [found] = await dead_letters(redis, OCTOBER, None, None)
    assert found.months == {"2026-10": 1}


async def test_without_any_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert await dead_letters(FakeAsyncRedis(), OCTOBER, tmp_path, str(tmp_path)) == []
    assert await kept_aside(FakeAsyncRedis(), OCTOBER) == []

"""How Redis remembers ids: however many, for eight days, in little memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from builders import NOON
from ledgers import Ledger, measured, redis_ledger

from tollgate.connections.redis import open_redis_sync
from tollgate.errors import StoreUnavailable
from tollgate.usage.event import ReceivedEvent

pytest_plugins = ["servers"]

DAY_S = 24 * 3600
IDS = "tollgate:{contoso}:ids:2026-10-15T12"
MANY = 3_000


@pytest.fixture
async def ledger(redis_server: str) -> AsyncIterator[Ledger]:
    async with redis_ledger(redis_server) as opened:
        yield opened


@pytest.fixture
def admin(redis_server: str) -> Iterator[Any]:
    """A client of which pyright asks nothing: redis-py's types are loose."""
    with open_redis_sync(redis_server) as client:
        yield client


@pytest.fixture(scope="module")
def many() -> list[ReceivedEvent]:
    return [measured(f"req-{number}") for number in range(MANY)]


def buckets(admin: Any) -> dict[int, bytes]:
    found: dict[bytes, bytes] = admin.hgetall(IDS)
    return {int(index): text for index, text in found.items() if index != b"n"}


def everything(admin: Any) -> dict[bytes, bytes]:
    keys: list[bytes] = admin.keys()
    return {key: admin.dump(key) for key in keys}


@pytest.mark.parametrize("at_once", [7, 100, MANY])
async def test_every_id_is_known_however_many_an_hour_has(
    ledger: Ledger, admin: Any, many: list[ReceivedEvent], at_once: int
) -> None:
    for first in range(0, MANY, at_once):
        some = many[first : first + at_once]
        assert set(await ledger.apply(*some)) == {"applied"}
    assert set(await ledger.apply(*many)) == {"duplicate"}
    assert set(await ledger.apply(*(measured(f"req-{i}", status=1) for i in range(MANY)))) == {
        "conflict"
    }
    [cell], _ = ledger.cells()
    assert cell.usage.requests == MANY
    assert sum(len(text) for text in buckets(admin).values()) == 26 * MANY
    assert max(buckets(admin)) <= MANY // 6
    assert admin.hget(IDS, "n") == b"%d" % MANY


async def test_buckets_are_filled_alike(
    ledger: Ledger, admin: Any, many: list[ReceivedEvent]
) -> None:
    await ledger.apply(*many)
    assert max(len(text) for text in buckets(admin).values()) < 26 * 40


async def test_an_id_takes_at_most_64_bytes(
    ledger: Ledger, admin: Any, many: list[ReceivedEvent]
) -> None:
    for first in range(0, MANY, 50):
        await ledger.apply(*many[first : first + 50])
    assert sum(admin.memory_usage(key) for key in admin.keys("*ids*")) / MANY <= 64


async def test_a_counter_takes_at_most_200_bytes(ledger: Ledger, admin: Any) -> None:
    await ledger.apply(*(measured(str(n), user=f"user-{n}") for n in range(1_000)))
    [users] = admin.keys("*users*")
    counters = 1_000 * (1 + 2 * 4)
    assert admin.memory_usage(users, samples=0) / counters <= 200


async def test_ids_stay_for_8_days_after_the_last_write(ledger: Ledger, admin: Any) -> None:
    for days in (0, 3, 7):
        await ledger.apply(measured(f"{days}"), now=NOON + timedelta(days=days))
        assert 8 * DAY_S - 60 < admin.ttl(IDS) <= 8 * DAY_S
        admin.expire(IDS, 100)  # as if most of the time were over


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("codes", "string"),
        ("hours", "string"),
        ("ids:2026-10-15T08", "string"),
        ("money:2026-10-15T12", "string"),
        ("names:2026-10-15", "string"),
        ("pairs", "string"),
        ("pairs_until", "string"),
        ("skus", "string"),
        ("users:2026-10-15", "string"),
        ("ids:2026-10-15T12", "string"),
    ],
)
async def test_a_call_that_fails_has_changed_nothing(
    ledger: Ledger, admin: Any, key: str, kind: str
) -> None:
    wrong = "tollgate:{contoso}:" + key
    admin.sadd("tollgate:tenants", "contoso")
    admin.set(wrong, "x") if kind == "string" else admin.hset(wrong, "x", "x")
    before = everything(admin)
    with pytest.raises(StoreUnavailable, match="not one of a ledger"):
        await ledger.apply(measured())
    assert everything(admin) == before


@pytest.mark.parametrize("kept", ["x", "[1]", '[1,{"input":"x"}]x'])
async def test_a_row_of_something_else_is_said_and_nothing_is_written(
    ledger: Ledger, admin: Any, kept: str
) -> None:
    await ledger.apply(measured("a"))
    hash_name = "tollgate:{contoso}:users:2026-10-15"
    [field] = admin.hkeys(hash_name)
    admin.hset(hash_name, field, kept)
    before = everything(admin)
    with pytest.raises(StoreUnavailable, match="not one of a ledger"):
        await ledger.apply(measured("b"))
    assert everything(admin) == before

"""What only the store on Redis does; the rest is in the contract of all stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import fakeredis
import pytest
from builders import NOON
from redis import exceptions
from redis.asyncio import Redis
from redis.crc import key_slot
from stored import RESPONSE, pending_event, stored, waiting

from tollgate.errors import StoreUnavailable
from tollgate.proxy.stored_in_redis import TTL_S, RedisResponses


@pytest.fixture
async def client() -> AsyncIterator[Any]:
    async with fakeredis.FakeAsyncRedis() as opened:
        yield opened


@pytest.fixture
def store(client: Any) -> RedisResponses:
    return RedisResponses(client)


async def test_all_keys_of_a_response_lie_in_one_slot_and_expire(
    store: RedisResponses, client: Any
) -> None:
    await store.keep(waiting())
    await store.settle(RESPONSE, "contoso")
    keys = [key for key in await client.keys() if key != b"tollgate:responses:pending"]
    assert sorted(key.rpartition(b"}")[2] for key in keys) == [b"", b":lease", b":pending"]
    assert len({key_slot(key) for key in keys}) == 1
    assert all([0 < await client.ttl(key) <= TTL_S for key in keys])


async def test_how_long_a_response_is_kept_can_change(store: RedisResponses, client: Any) -> None:
    store.ttl_s = 60
    await store.keep(stored())
    [key] = await client.keys()
    assert 0 < await client.ttl(key) <= 60


async def test_no_name_stands_in_a_key(store: RedisResponses, client: Any) -> None:
    await store.keep(waiting())
    assert not any(b"contoso" in key or b"resp_1" in key for key in await client.keys())


async def test_an_expired_response_leaves_the_index(store: RedisResponses, client: Any) -> None:
    await store.keep(waiting())
    keys = [key for key in await client.keys() if b"{" in key]
    await client.delete(*keys)
    assert await store.pending(NOON, 10) == []
    assert await client.keys() == []


async def test_a_record_that_cannot_be_read_is_unknown_and_said(
    store: RedisResponses, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await store.keep(stored())
    [key] = await client.keys()
    await client.set(key, b'{"secret": \xff')
    assert await store.find(RESPONSE, "contoso") is None
    assert "is no stored response" in caplog.text
    assert "secret" not in caplog.text


class LosesTheAnswerTo:
    """A client that has to repeat one command whose answer was lost."""

    def __init__(self, client: Any, command: str) -> None:
        self._client, self._command = client, command

    def __getattr__(self, name: str) -> Any:
        command = getattr(self._client, name)
        if name != self._command:
            return command

        async def repeated(*args: Any, **options: Any) -> Any:
            await command(*args, **options)
            return await command(*args, **options)

        return repeated


async def test_a_repeated_command_finds_its_own_loan(client: Any) -> None:
    flaky: Any = LosesTheAnswerTo(client, "set")
    store = RedisResponses(flaky)
    await store.keep(waiting())
    assert await store.settle(RESPONSE, "contoso") == pending_event()
    assert await store.settle(RESPONSE, "contoso") is None


async def test_a_redis_that_is_away_is_unavailable_for_everything() -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    store = RedisResponses(fakeredis.FakeAsyncRedis(server=server))
    for call in (
        store.keep(stored()),
        store.keep(waiting()),
        store.find(RESPONSE, "contoso"),
        store.forget(RESPONSE, "contoso"),
        store.settle(RESPONSE, "contoso"),
        store.settled(RESPONSE, "contoso"),
        store.pending(NOON, 10),
        store.postpone(RESPONSE, "contoso", NOON),
    ):
        with pytest.raises(StoreUnavailable, match="Redis: ConnectionError"):
            await call


class BrokenRedis(Redis):
    async def execute_command(self, *_: Any, **__: Any) -> Any:
        raise exceptions.DataError("a bug")


async def test_a_bug_is_not_taken_for_an_outage() -> None:
    async with BrokenRedis() as client:
        with pytest.raises(exceptions.DataError):
            await RedisResponses(client).keep(stored())

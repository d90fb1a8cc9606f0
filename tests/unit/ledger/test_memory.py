from __future__ import annotations

from typing import Any, cast

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError

from tollgate.connections.redis import open_redis
from tollgate.errors import StoreUnavailable
from tollgate.ledger.memory import Memory, memory_of, memory_warnings

pytest_plugins = ["servers"]
MIB = 1024 * 1024


class Server:
    def __init__(self, info: dict[str, Any] | Exception) -> None:
        self._info = info

    async def info(self, _section: str) -> dict[str, Any]:
        if isinstance(self._info, Exception):
            raise self._info
        return self._info


async def of(info: dict[str, Any] | Exception) -> Memory | None:
    return await memory_of(cast("Redis", Server(info)))


async def test_a_real_server_says_what_it_uses_and_what_there_is(redis_server: str) -> None:
    async with open_redis(redis_server) as redis:
        unbounded = await memory_of(redis)
        await redis.config_set("maxmemory", 64 * MIB)  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        bounded = await memory_of(redis)
        await redis.config_set("maxmemory", 0)  # pyright: ignore[reportUnknownMemberType]  same
    assert unbounded is not None
    assert bounded is not None
    assert unbounded.limit_bytes is not None
    assert 0 < unbounded.used_bytes < unbounded.limit_bytes  # the machine's
    assert bounded.limit_bytes == 64 * MIB


async def test_what_the_server_does_not_show_is_not_known() -> None:
    assert await of(NoPermissionError("NOPERM")) is None
    assert await of({}) is None
    assert await of({"used_memory": 5}) == Memory(5, None)


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        await of(RedisConnectionError("down"))


async def test_of_a_cluster_the_fullest_node_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"used_memory": used, "maxmemory": 100} for used in (10, 90, 20)]
    cluster = RedisCluster(host="127.0.0.1")
    monkeypatch.setattr(cluster, "initialize", _nothing)
    monkeypatch.setattr(cluster, "get_primaries", nodes.copy)
    monkeypatch.setattr(cluster, "info", _info)
    assert await memory_of(cluster) == Memory(90, 100)
    monkeypatch.setattr(cluster, "get_primaries", lambda: [*nodes, {"used_memory": 5}])
    assert await memory_of(cluster) == Memory(5, None)
    monkeypatch.setattr(cluster, "get_primaries", lambda: [*nodes, {}])
    assert await memory_of(cluster) is None


async def _nothing() -> None: ...


async def _info(_section: str, *, target_nodes: dict[str, int]) -> dict[str, int]:
    return target_nodes


def test_a_fifth_of_the_memory_must_be_left() -> None:
    assert memory_warnings(Memory(79, 100)) == []
    assert memory_warnings(Memory(80 * MIB, 100 * MIB)) == [
        "its memory is nearly full, 80 of 100 MiB: give it more"
    ]
    for unknown in (None, Memory(5, None)):
        assert "could not be checked" in memory_warnings(unknown)[0]

"""How much memory the Redis server has left; a full one refuses to count."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from tollgate.redis_errors import store_errors

FULL_AT: Final = 0.8  # of the limit: time enough to give it more
_MIB: Final = 1024 * 1024


class Memory(msgspec.Struct, frozen=True):
    """What a server uses.

    Args:
        used_bytes: Of all its data.
        limit_bytes: `maxmemory`, or else the machine's; None if the server does not say.
    """

    used_bytes: int
    limit_bytes: int | None


async def memory_of(redis: Redis | RedisCluster) -> Memory | None:
    """The server's memory, or that of the fullest node of a cluster.

    Returns:
        None if a server does not let us see it.

    Raises:
        StoreUnavailable: Redis does not answer; try again later.
    """
    found = [await _memory_of(redis, asked) for asked in await _servers(redis)]
    known = [memory for memory in found if memory is not None]
    return max(known, key=_filled) if len(known) == len(found) and known else None


def _filled(memory: Memory) -> float:
    return memory.used_bytes / memory.limit_bytes if memory.limit_bytes else math.inf


async def _servers(redis: Redis | RedisCluster) -> list[dict[str, Any]]:
    """How a command says which server it is for."""
    if not isinstance(redis, RedisCluster):
        return [{}]
    with store_errors():
        await redis.initialize()
    return [{"target_nodes": node} for node in redis.get_primaries()]


async def _memory_of(redis: Redis | RedisCluster, asked: dict[str, Any]) -> Memory | None:
    with store_errors():
        try:
            info: dict[str, Any] = await redis.info("memory", **asked)  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        except ResponseError:
            return None
    if "used_memory" not in info:
        return None
    limit = int(info.get("maxmemory", 0)) or int(info.get("total_system_memory", 0))
    return Memory(int(info["used_memory"]), limit or None)


def memory_warnings(memory: Memory | None) -> list[str]:
    """What is wrong with the server's memory, in words; none when all is well."""
    if memory is None or memory.limit_bytes is None:
        return ["its memory could not be checked; when it is full, nothing is counted"]
    if memory.used_bytes < FULL_AT * memory.limit_bytes:
        return []
    used, limit = memory.used_bytes // _MIB, memory.limit_bytes // _MIB
    return [f"its memory is nearly full, {used:,} of {limit:,} MiB: give it more"]

"""How much memory the Redis server has left; a full one refuses to count."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from tollgate.ledger.redis_errors import store_errors

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


async def memory_of(redis: Redis) -> Memory | None:
    """The server's memory; None if it does not let us see it.

    Raises:
        StoreUnavailable: Redis does not answer; try again later.
    """
    with store_errors():
        try:
            info: dict[str, Any] = await redis.info("memory")  # pyright: ignore[reportUnknownMemberType]  types of redis-py
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

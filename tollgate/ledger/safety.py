"""Whether the Redis server is set up to keep a ledger, and has room for it."""

from __future__ import annotations

from typing import Any, Final

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from tollgate.ledger.memory import memory_of, memory_warnings
from tollgate.redis_errors import store_errors

# setting -> (value that a ledger needs, section and member of INFO, what happens without it)
_NEEDED: Final = {
    "maxmemory-policy": (
        "noeviction",
        ("memory", "maxmemory_policy"),
        "Redis may throw counters and ids away when its memory is full",
    ),
    "appendonly": (
        "yes",
        ("persistence", "aof_enabled"),
        "a restart of Redis may lose usage, until it is rebuilt from the archive",
    ),
}
_AS_CONFIG: Final = {"0": "no", "1": "yes"}  # as INFO says them


async def ledger_warnings(redis: Redis | RedisCluster) -> list[str]:
    """What the settings of the server, or of any node of a cluster, put at risk; none: all is well.

    A setting that a server does not let us see is a warning, too.

    Raises:
        StoreUnavailable: Redis does not answer; try again later.
    """
    warnings: list[str] = []
    for asked in await _servers(redis):
        for setting, (needed, place, risk) in _NEEDED.items():
            with store_errors():
                found = await _from_info(redis, asked, place) or await _from_config(
                    redis, asked, setting
                )
            if found is None:
                warnings.append(f"{setting} could not be checked; it must be {needed}, else {risk}")
            elif found != needed:
                warnings.append(f"{setting} is {found}, not {needed}: {risk}")
    return list(dict.fromkeys(warnings)) + memory_warnings(await memory_of(redis))


async def _servers(redis: Redis | RedisCluster) -> list[dict[str, Any]]:
    """How a command says which server it is for."""
    if not isinstance(redis, RedisCluster):
        return [{}]
    with store_errors():
        await redis.initialize()
    return [{"target_nodes": node} for node in redis.get_primaries()]


async def _from_info(
    redis: Redis | RedisCluster, asked: dict[str, Any], place: tuple[str, str]
) -> str | None:
    section, member = place
    try:
        info: dict[str, Any] = await redis.info(section, **asked)  # pyright: ignore[reportUnknownMemberType]  types of redis-py
    except ResponseError:
        return None
    value = str(info.get(member, ""))
    return _AS_CONFIG.get(value, value) or None


async def _from_config(
    redis: Redis | RedisCluster, asked: dict[str, Any], setting: str
) -> str | None:
    try:
        answer = await redis.config_get(setting, **asked)  # pyright: ignore[reportUnknownMemberType]  same
    except ResponseError:
        return None
    return answer.get(setting)

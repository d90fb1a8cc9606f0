"""Whether the Redis server is set up to keep a ledger, and has room for it."""

from __future__ import annotations

from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from tollgate.ledger.memory import memory_of, memory_warnings
from tollgate.ledger.redis_errors import store_errors

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


async def ledger_warnings(redis: Redis) -> list[str]:
    """What the server's settings put at risk, in words; none when all is well.

    A setting that the server does not let us see is a warning, too.

    Raises:
        StoreUnavailable: Redis does not answer; try again later.
    """
    warnings: list[str] = []
    for setting, (needed, place, risk) in _NEEDED.items():
        with store_errors():
            found = await _from_info(redis, *place) or await _from_config(redis, setting)
        if found is None:
            warnings.append(f"{setting} could not be checked; it must be {needed}, else {risk}")
        elif found != needed:
            warnings.append(f"{setting} is {found}, not {needed}: {risk}")
    return warnings + memory_warnings(await memory_of(redis))


async def _from_info(redis: Redis, section: str, member: str) -> str | None:
    try:
        info: dict[str, Any] = await redis.info(section)  # pyright: ignore[reportUnknownMemberType]  types of redis-py
    except ResponseError:
        return None
    value = str(info.get(member, ""))
    return _AS_CONFIG.get(value, value) or None


async def _from_config(redis: Redis, setting: str) -> str | None:
    try:
        answer = await redis.config_get(setting)  # pyright: ignore[reportUnknownMemberType]  same
    except ResponseError:
        return None
    return answer.get(setting)

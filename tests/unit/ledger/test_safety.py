"""Warnings about the server's settings."""

from __future__ import annotations

from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, ResponseError

from tollgate.errors import StoreUnavailable
from tollgate.ledger.safety import ledger_warnings


class Server:
    """A server that shows its settings through INFO, CONFIG GET or neither."""

    def __init__(
        self, info: dict[str, Any] | Exception, config: dict[str, str] | Exception
    ) -> None:
        self._info, self._config = info, config

    async def info(self, _section: str) -> dict[str, Any]:
        return _or_raise(self._info)

    async def config_get(self, _setting: str) -> dict[str, str]:
        return _or_raise(self._config)


def _or_raise(answer: dict[str, Any] | Exception) -> dict[str, Any]:
    if isinstance(answer, Exception):
        raise answer
    return answer


async def warnings(
    info: dict[str, Any] | Exception, config: dict[str, str] | Exception
) -> list[str]:
    return await ledger_warnings(cast("Redis", Server(info, config)))


UNSEEN = NoPermissionError("NOPERM")
MEMORY = {"used_memory": 1, "maxmemory": 100}
GOOD = {"maxmemory_policy": "noeviction", "aof_enabled": 1, **MEMORY}


async def test_a_server_set_up_for_a_ledger_gives_no_warning() -> None:
    assert await warnings(GOOD, UNSEEN) == []


async def test_eviction_and_a_missing_append_only_file_are_named() -> None:
    policy, file = await warnings(
        {"maxmemory_policy": "volatile-lru", "aof_enabled": 0, **MEMORY}, UNSEEN
    )
    assert policy.startswith("maxmemory-policy is volatile-lru, not noeviction: ")
    assert file.startswith("appendonly is no, not yes: ")


async def test_config_is_asked_where_info_does_not_say() -> None:
    assert await warnings(MEMORY, {"maxmemory-policy": "noeviction", "appendonly": "yes"}) == []
    assert len(await warnings(MEMORY, {"appendonly": "yes"})) == 1


async def test_what_cannot_be_seen_could_not_be_checked() -> None:
    unknown = ResponseError("unknown command")
    found = await warnings(unknown, unknown)
    assert len(found) == 3
    assert all("could not be checked" in warning for warning in found)


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        await warnings(RedisConnectionError("down"), UNSEEN)

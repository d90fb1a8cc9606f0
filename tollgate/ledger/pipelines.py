"""Runs many commands of Redis in few round trips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis, RedisCluster

from tollgate.redis_errors import store_errors

_AT_ONCE: Final = 500

Command = tuple[Any, ...]


async def run(redis: Redis | RedisCluster, commands: Sequence[Command]) -> list[Any]:
    """Run commands that are safe to repeat, and return their answers.

    Raises:
        StoreUnavailable: Redis did not answer; some may have run.
    """
    answers: list[Any] = []
    for start in range(0, len(commands), _AT_ONCE):
        with store_errors():
            pipeline: Any = redis.pipeline(transaction=False)
            for command in commands[start : start + _AT_ONCE]:
                pipeline.execute_command(*command)
            answers += await pipeline.execute()
    return answers

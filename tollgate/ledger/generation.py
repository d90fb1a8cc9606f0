"""Which of the ledger's generations is in force: a rebuild makes a new one, which then replaces it.

    NAMESPACE:generation   hash: current -> number; next -> that of the rebuild under way;
                           last -> the highest number ever given

Generation 0 has its keys under NAMESPACE, generation N under NAMESPACE:gN. Writers ask for the
current one after they have archived their events, and readers when they begin. So what a writer
still adds to an old generation was archived before the new one came into force, and the rebuild,
which reads the archive once more after that, finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from tollgate.errors import Rejected
from tollgate.ledger.keys import NAMESPACE
from tollgate.ledger.outcome import LedgerLimits, Outcome
from tollgate.ledger.pipelines import run
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.ledger.redis_reader import RedisReader
from tollgate.redis_errors import store_errors
from tollgate.usage.event import ReceivedEvent

# What the last one leaves is forgotten after this: whoever reads it may end in peace.
OLD_GENERATION_S: Final = 3600
_KEYS_AT_ONCE: Final = 500

_BEGIN: Final = """
local number = redis.call('HINCRBY', KEYS[1], 'last', 1)
redis.call('HSET', KEYS[1], 'next', number)
return number
"""
# Repeated after it succeeded, it succeeds again.
_SWITCH: Final = """
if redis.call('HGET', KEYS[1], 'current') == ARGV[1] then return 1 end
if redis.call('HGET', KEYS[1], 'next') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'current', ARGV[1])
redis.call('HDEL', KEYS[1], 'next')
return 1
"""


class Superseded(Rejected):
    """Another rebuild began after this one; it takes its place."""


def generation_key(namespace: str = NAMESPACE) -> str:
    """The key that says which generation is in force."""
    return f"{namespace}:generation"


def namespace_of(generation: int, namespace: str = NAMESPACE) -> str:
    """What the keys of a generation begin with."""
    return f"{namespace}:g{generation}" if generation else namespace


async def current_namespace(redis: AsyncRedis, namespace: str = NAMESPACE) -> str:
    """What the keys of the generation in force begin with.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    with store_errors():
        number = await cast("Any", redis.hget(generation_key(namespace), "current"))
    return namespace_of(int(number or 0), namespace)


class CurrentLedger:
    """Counts events in the generation that is in force at each call; a `LedgerWriter`.

    Args:
        redis: See `RedisLedger`.
        limits: How much the ledger remembers.
        namespace: What the keys of all generations begin with.
    """

    def __init__(
        self, redis: AsyncRedis, limits: LedgerLimits | None = None, namespace: str = NAMESPACE
    ) -> None:
        self._redis = redis
        self._limits = limits
        self._namespace = namespace
        self._ledger = (namespace, RedisLedger(redis, limits, namespace))

    async def apply(self, events: Sequence[ReceivedEvent], *, now: datetime) -> list[Outcome]:
        """Count events in their cells; see `LedgerWriter.apply`. Archive them before."""
        current = await current_namespace(self._redis, self._namespace)
        if current != self._ledger[0]:
            self._ledger = (current, RedisLedger(self._redis, self._limits, current))
        return await self._ledger[1].apply(events, now=now)


def current_reader(redis: Redis, namespace: str = NAMESPACE) -> RedisReader:
    """The read side of the generation that is in force now.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    with store_errors():
        number = cast("bytes | None", redis.hget(generation_key(namespace), "current"))
    return RedisReader(redis, namespace_of(int(number or 0), namespace))


class Generations:
    """Makes a new generation and puts it in force.

    Args:
        redis: A client that returns bytes.
        namespace: What the keys of all generations begin with.
    """

    def __init__(self, redis: AsyncRedis, namespace: str = NAMESPACE) -> None:
        self._redis = redis
        self._namespace = namespace
        self._key = generation_key(namespace)

    async def begin(self) -> int:
        """The number of a new generation; that of a rebuild which never ended is removed.

        A call that redis-py repeats leaves a number out.
        """
        with store_errors():
            found = await cast("Any", self._redis.hget(self._key, "next"))
            number = int(await cast("Any", self._redis.eval(_BEGIN, 1, self._key)))
        if found:
            await self.remove(int(found))
        return number

    async def switch(self, generation: int) -> None:
        """Put a generation in force; the one before is forgotten after `OLD_GENERATION_S`.

        Raises:
            Superseded: Another rebuild began meanwhile; nothing changed.
        """
        with store_errors():
            done = await cast("Any", self._redis.eval(_SWITCH, 1, self._key, str(generation)))
        if not done:
            raise Superseded("another rebuild began after this one, so this one changed nothing")

    async def current(self) -> int:
        """The number of the generation in force."""
        with store_errors():
            return int(await cast("Any", self._redis.hget(self._key, "current")) or 0)

    async def remove(self, generation: int, after_s: int = 0) -> None:
        """Forget a generation that is not in force, at once or after a while."""
        prefix = namespace_of(generation, self._namespace)
        keys: list[Any] = [f"{prefix}:tenants"]
        with store_errors():
            async for key in cast("Any", self._redis).scan_iter(f"{prefix}:{{*", count=1000):
                keys.append(key)
                if len(keys) == _KEYS_AT_ONCE:
                    await self._forget(keys, after_s)
                    keys = []
        await self._forget(keys, after_s)

    async def _forget(self, keys: Sequence[Any], after_s: int) -> None:
        if after_s:
            # ids that are forgotten sooner than that may stay as they are
            await run(self._redis, [("EXPIRE", key, after_s, "NX") for key in keys])
        else:
            await run(self._redis, [("UNLINK", key) for key in keys])

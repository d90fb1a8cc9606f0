"""Stored responses in Redis, for all instances; works on one server and on a cluster.

    NAMESPACE:response:{DIGEST}           string: the response as JSON, without its pending event
    NAMESPACE:response:{DIGEST}:pending   string: its pending usage event
    NAMESPACE:response:{DIGEST}:lease     string: who completes that event at the moment
    NAMESPACE:responses:pending           sorted set: DIGEST -> when to ask its backend, Unix time

DIGEST is of the tenant and the response id together, so that no tenant can name another's key.
The keys of one response lie in one slot, and no command touches two slots. All but the set expire.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
from redis import exceptions
from redis.asyncio import Redis

from tollgate.errors import StoreUnavailable
from tollgate.proxy.stored_responses import StoredResponse

TTL_S: Final = 30 * 24 * 3600  # the provider keeps a response for 30 days
LEASE_S: Final = 60.0  # longer than a completion takes to be recorded
NAMESPACE: Final = "tollgate"

_BUGS: Final = (
    exceptions.DataError,
    exceptions.CrossSlotTransactionError,
    exceptions.InvalidPipelineStack,
)
_decoder: Final = msgspec.json.Decoder(StoredResponse)
_log: Final = logging.getLogger(__name__)


class RedisResponses:
    """A `ResponseStore` on Redis.

    Args:
        redis: A client that returns bytes; its retries are welcome, every command is safe to
            repeat.
        ttl_s: How long a response is remembered after it was created.
        lease_s: For how long `settle` lends a pending event.
        namespace: What all keys begin with; no braces.

    Attributes:
        ttl_s: May be replaced; holds for the responses that are kept from then on.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        ttl_s: float = TTL_S,
        lease_s: float = LEASE_S,
        namespace: str = NAMESPACE,
    ) -> None:
        self._redis: Any = redis  # the types of redis-py leave its answers open
        self.ttl_s = ttl_s
        self._lease_ms = round(lease_s * 1000)
        self._namespace = namespace
        self._index = f"{namespace}:responses:pending"

    async def keep(self, response: StoredResponse) -> None:
        """See `ResponseStore.keep`."""
        digest = _digest(response.response_id, response.tenant)
        key = self._key(digest)
        record = msgspec.json.encode(msgspec.structs.replace(response, pending=None))
        ttl_ms = round(self.ttl_s * 1000)
        with _store_errors():
            if response.pending is None:
                await self._redis.set(key, record, px=ttl_ms)
                return
            # The index last: what it names is there, or is gone for good.
            await self._redis.set(f"{key}:pending", response.pending, px=ttl_ms)
            await self._redis.set(key, record, px=ttl_ms)
            due = {digest: response.created_at.timestamp()}
            await self._redis.zadd(self._index, due, nx=True)

    async def find(self, response_id: str, tenant: str) -> StoredResponse | None:
        """See `ResponseStore.find`."""
        found = await self._read(_digest(response_id, tenant))
        is_theirs = found is not None and (found.response_id, found.tenant) == (response_id, tenant)
        return found if is_theirs else None

    async def forget(self, response_id: str, tenant: str) -> None:
        """See `ResponseStore.forget`."""
        digest = _digest(response_id, tenant)
        key = self._key(digest)
        with _store_errors():
            await self._redis.delete(key, f"{key}:pending", f"{key}:lease")
            await self._redis.zrem(self._index, digest)

    async def settle(self, response_id: str, tenant: str) -> bytes | None:
        """See `ResponseStore.settle`."""
        key = self._key(_digest(response_id, tenant))
        lease, ours = f"{key}:lease", secrets.token_bytes(16)
        with _store_errors():
            is_free = await self._redis.set(lease, ours, px=self._lease_ms, nx=True)
            # A command that the client had to repeat finds its own lease.
            if not is_free and await self._redis.get(lease) != ours:
                return None
            return await self._redis.get(f"{key}:pending")

    async def settled(self, response_id: str, tenant: str) -> None:
        """See `ResponseStore.settled`."""
        digest = _digest(response_id, tenant)
        key = self._key(digest)
        with _store_errors():
            await self._redis.delete(f"{key}:pending", f"{key}:lease")
            await self._redis.zrem(self._index, digest)

    async def pending(self, now: datetime, at_most: int) -> list[StoredResponse]:
        """See `ResponseStore.pending`; forgets those that have expired."""
        with _store_errors():
            due: list[bytes] = await self._redis.zrangebyscore(
                self._index, "-inf", now.timestamp(), start=0, num=at_most
            )
        found: list[StoredResponse] = []
        for digest in due:
            response = await self._read(digest.decode())
            if response is not None and response.pending is not None:
                found.append(response)
            else:
                with _store_errors():
                    await self._redis.zrem(self._index, digest)
        return found

    async def postpone(self, response_id: str, tenant: str, until: datetime) -> None:
        """See `ResponseStore.postpone`."""
        due = {_digest(response_id, tenant): until.timestamp()}
        with _store_errors():
            await self._redis.zadd(self._index, due, xx=True)

    def _key(self, digest: str) -> str:
        return f"{self._namespace}:response:{{{digest}}}"

    async def _read(self, digest: str) -> StoredResponse | None:
        key = self._key(digest)
        with _store_errors():
            record, pending = await self._redis.mget(key, f"{key}:pending")
        if record is None:
            return None
        try:
            return msgspec.structs.replace(_decoder.decode(record), pending=pending)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            _log.error("%s in Redis is no stored response: it is taken for unknown", key)
            return None


def _digest(response_id: str, tenant: str) -> str:
    return blake2b(msgspec.json.encode([tenant, response_id]), digest_size=16).hexdigest()


@contextmanager
def _store_errors() -> Generator[None]:
    """Turn what Redis may recover from into `StoreUnavailable`; let bugs through as they are."""
    try:
        yield
    except (exceptions.RedisError, exceptions.RedisClusterException) as error:
        if isinstance(error, _BUGS):
            raise
        raise StoreUnavailable(f"Redis: {type(error).__name__}: {error}") from error

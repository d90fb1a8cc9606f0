"""Opens Redis by URL: a server or a cluster, with TLS, a password or an Entra ID identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from tollgate.connections.redis_nodes import remap_to
from tollgate.connections.redis_url import AUTH, CLUSTER, check_redis_url
from tollgate.errors import StoreUnavailable

_TIMEOUTS: Final[dict[str, Any]] = {
    "socket_connect_timeout": 5,
    "socket_timeout": 5,
    "health_check_interval": 30,
}
# Without these, from_url makes clients that never retry. Every write of ours is safe to repeat.
_RETRIES: Final = 5
_BACKOFF: Final = ExponentialWithJitterBackoff(base=0.1, cap=2)


def _entra_credentials() -> CredentialProvider:
    from tollgate.connections.redis_entra import entra_credentials  # noqa: PLC0415  of an extra

    return entra_credentials()


def open_redis(
    url: str, entra: Callable[[], CredentialProvider] = _entra_credentials
) -> redis.asyncio.Redis:
    """A client for one event loop; it connects when it is first used. Close it with `aclose()`.

    Args:
        url: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]`, `rediss://…` with TLS, or `unix://PATH`.
            With `?cluster=true` it is any node of a cluster (Azure Managed Redis, OSS policy); the
            client then has the same commands, also for keys in several slots where Redis splits
            them. With `?auth=entra` this process's Entra ID identity signs in, over TLS alone.
        entra: Gives the credentials of that identity.

    Raises:
        ValueError: The URL cannot be used; the message does not repeat it.
    """
    address, options = _opened(url, entra)
    options["retry"] = AsyncRetry(_BACKOFF, _RETRIES)
    if not options.pop(CLUSTER):
        return redis.asyncio.Redis.from_url(address, **options)  # pyright: ignore[reportUnknownMemberType]  types of redis-py
    cluster = redis.asyncio.RedisCluster.from_url(address, **options, address_remap=remap_to(url))
    return cast("redis.asyncio.Redis", cluster)


def open_redis_sync(
    url: str, entra: Callable[[], CredentialProvider] = _entra_credentials
) -> redis.Redis:
    """The same for code without an event loop. Close it with `close()`.

    Raises:
        StoreUnavailable: It is a cluster, of which the nodes are asked at once, and none answers.
    """
    address, options = _opened(url, entra)
    options["retry"] = Retry(_BACKOFF, _RETRIES)
    if not options.pop(CLUSTER):
        return redis.Redis.from_url(address, **options)  # pyright: ignore[reportUnknownMemberType]  same
    try:
        cluster = redis.RedisCluster.from_url(address, **options, address_remap=remap_to(url))
    except (RedisError, RedisClusterException) as error:
        raise StoreUnavailable(f"Redis: no node of the cluster answers: {error}") from error
    return cast("redis.Redis", cluster)


def _opened(url: str, entra: Callable[[], CredentialProvider]) -> tuple[str, dict[str, Any]]:
    """The URL that redis-py takes, and what else it needs; CLUSTER says which client."""
    check_redis_url(url)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    is_cluster, auth = query.pop(CLUSTER, "false") == "true", query.pop(AUTH, None)
    options: dict[str, Any] = {**_TIMEOUTS, CLUSTER: is_cluster}
    if auth is not None:
        options["credential_provider"] = entra()
    return parts._replace(query=urlencode(query)).geturl(), options

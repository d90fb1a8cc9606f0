"""Opens Redis by URL: a server or a cluster, with TLS, a password or an Entra ID identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import redis
import redis.asyncio
from redis.asyncio.connection import SSLConnection, parse_url
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
    try:
        from tollgate.connections.redis_entra import entra_credentials  # noqa: PLC0415  of an extra
    except ModuleNotFoundError as error:
        raise ValueError(
            f"auth=entra needs the package {error.name}: pip install redis-entraid"
        ) from None
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
    options: dict[str, Any] = {**_options(url, entra), "retry": AsyncRetry(_BACKOFF, _RETRIES)}
    if not options.pop(CLUSTER):
        return redis.asyncio.Redis(**options)
    cluster = redis.asyncio.RedisCluster(**options, address_remap=remap_to(url))
    return cast("redis.asyncio.Redis", cluster)


def open_redis_sync(
    url: str, entra: Callable[[], CredentialProvider] = _entra_credentials
) -> redis.Redis:
    """The same for code without an event loop. Close it with `close()`.

    Raises:
        StoreUnavailable: It is a cluster, of which the nodes are asked at once, and none answers.
    """
    options: dict[str, Any] = {**_options(url, entra), "retry": Retry(_BACKOFF, _RETRIES)}
    if not options.pop(CLUSTER):
        return redis.Redis(**options)
    try:
        cluster = redis.RedisCluster(**options, address_remap=remap_to(url))
    except (RedisError, RedisClusterException) as error:
        raise StoreUnavailable(f"Redis: no node of the cluster answers: {error}") from error
    return cast("redis.Redis", cluster)


def _options(url: str, entra: Callable[[], CredentialProvider]) -> dict[str, Any]:
    """What redis-py's clients take, and CLUSTER: which of them it is.

    Their own `from_url` would give credentials that never sign in again when a token ages.
    """
    check_redis_url(url)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    is_cluster, auth = query.pop(CLUSTER, "false") == "true", query.pop(AUTH, None)
    address: dict[str, Any] = {**parse_url(parts._replace(query=urlencode(query)).geturl())}
    if "path" in address:
        address["unix_socket_path"] = address.pop("path")
    address["ssl"] = address.pop("connection_class", None) is SSLConnection
    if auth is not None:
        address["credential_provider"] = entra()
    return {**_TIMEOUTS, **address, CLUSTER: is_cluster}

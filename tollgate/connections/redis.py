"""Opens Redis: one server, by URL."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

_SCHEMES: Final = ("redis", "rediss", "unix")
_OPTIONS: Final = (
    "db",
    "ssl_ca_certs",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
)
_TIMEOUTS: Final[dict[str, Any]] = {
    "socket_connect_timeout": 5,
    "socket_timeout": 5,
    "health_check_interval": 30,
}
# Without these, from_url makes clients that never retry. Every write of ours is safe to repeat.
_RETRIES: Final = 5
_BACKOFF: Final = ExponentialWithJitterBackoff(base=0.1, cap=2)


def open_redis(url: str) -> redis.asyncio.Redis:
    """A client for one event loop; it connects when it is first used. Close it with `aclose()`.

    Args:
        url: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]`, `rediss://…` with TLS, or `unix://PATH`.

    Raises:
        ValueError: The URL cannot be used; the message does not repeat it.
    """
    _check(url)
    retry = AsyncRetry(_BACKOFF, _RETRIES)
    return redis.asyncio.Redis.from_url(url, retry=retry, **_TIMEOUTS)  # pyright: ignore[reportUnknownMemberType]  types of redis-py


def open_redis_sync(url: str) -> redis.Redis:
    """The same for code without an event loop. Close it with `close()`."""
    _check(url)
    retry = Retry(_BACKOFF, _RETRIES)
    return redis.Redis.from_url(url, retry=retry, **_TIMEOUTS)  # pyright: ignore[reportUnknownMemberType]  same


def _check(url: str) -> None:
    """A URL may hold a password, also where it should not: no message repeats any of it."""
    try:
        parts = urlsplit(url)
        problem = _problem(parts)
    except ValueError:
        problem = (
            "its host or port cannot be read (in a password, write / as %2F, @ as %40, # as %23)"
        )
    if problem:
        raise ValueError(
            f"the Redis URL cannot be used: {problem}."
            " Write redis://HOST:PORT, rediss://:PASSWORD@HOST:PORT or unix:///PATH"
        ) from None


def _problem(parts: SplitResult) -> str | None:
    is_unix = parts.scheme == "unix"
    database = parts.path.strip("/")
    options = parse_qs(parts.query, keep_blank_values=True).keys()
    found = {
        f"it begins with none of {_SCHEMES}": parts.scheme not in _SCHEMES,
        "it has a #; in a password, write it as %23": bool(parts.fragment),
        f"it has an option that is none of {_OPTIONS}": not options <= set(_OPTIONS),
        "it has no path": is_unix and not database,
        "it has no host": not is_unix and not parts.hostname,
        "its port is 0": not is_unix and parts.port == 0,
        "its database is not a number": not is_unix and not database.isdecimal() and database != "",
    }
    return next((problem for problem, is_there in found.items() if is_there), None)

"""Redis's errors in our words: what may succeed later, and what is a bug."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from redis import exceptions as redis

from tollgate.errors import StoreUnavailable

# The caller asked for what cannot be; every other error of redis-py may pass.
_BUGS: Final = (
    redis.DataError,
    redis.PubSubError,
    redis.WatchError,
    redis.LockError,
    redis.CrossSlotTransactionError,
    redis.InvalidPipelineStack,
)
# Answers of a server that is there and well, by class; other answers (ERR …) are bugs.
_PASSING: Final = (
    redis.NoScriptError,
    redis.OutOfMemoryError,
    redis.ReadOnlyError,
    redis.NoPermissionError,
    redis.AuthenticationWrongNumberOfArgsError,
    redis.ClusterDownError,
    redis.AskError,
    redis.TryAgainError,
)
# The same by their first word, where redis-py has no class.
_PASSING_WORDS: Final = frozenset(
    {"MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE", "NOAUTH", "WRONGTYPE"}
)
_MOVING: Final = "attempted to access a non local key"
# The same by what they say: also of apply.lua, and of a slot that a cluster moves meanwhile.
_PASSING_TEXTS: Final = (
    "DB index is out of range",
    "is not what a ledger writes",
    _MOVING,
)
_ADVICE: Final = (
    (redis.OutOfMemoryError, "its memory is full: give it more, or remove other data"),
    (redis.ReadOnlyError, "it is a replica that takes no writes: check the address"),
    (redis.BusyLoadingError, "it is still loading its data: wait"),
    (redis.AuthenticationError, "it refused the credentials: check them"),
    (redis.AuthenticationWrongNumberOfArgsError, "it refused the credentials: check them"),
    (redis.NoPermissionError, "the user lacks a permission: grant it"),
    (redis.TimeoutError, "it did not answer in time: check its load and the network"),
    (redis.MaxConnectionsError, "all connections are in use: allow more"),
    (redis.ClusterDownError, "the cluster is down: wait until its nodes are back"),
    (redis.ConnectionError, "it cannot be reached: check that it runs, and the address"),
    (redis.ResponseError, "its database is not one of a ledger: check the address"),
)


@contextmanager
def store_errors() -> Generator[None]:
    """Turn what Redis may recover from into `StoreUnavailable`; let bugs through as they are."""
    try:
        yield
    except (redis.RedisError, redis.RedisClusterException) as error:
        if _is_bug(error):
            raise
        raise StoreUnavailable(_message(error)) from error


def _is_bug(error: Exception) -> bool:
    if isinstance(error, redis.ResponseError) and not isinstance(error, _PASSING):
        text = str(error)
        passes = text.partition(" ")[0] in _PASSING_WORDS
        return not passes and not any(passing in text for passing in _PASSING_TEXTS)
    return isinstance(error, _BUGS)


def _message(error: Exception) -> str:
    advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), "try again")
    if _MOVING in str(error):
        advice = "a part of the cluster moves to another node: try again"
    return f"Redis: {advice} ({type(error).__name__}: {error})"

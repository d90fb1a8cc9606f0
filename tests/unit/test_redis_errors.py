"""Every error of redis-py is ours, or a bug."""

from __future__ import annotations

import inspect

import pytest
from redis import exceptions

from tollgate.errors import StoreUnavailable
from tollgate.redis_errors import store_errors

ROOTS = (exceptions.RedisError, exceptions.RedisClusterException)
ALL: list[type[Exception]] = [
    kind for _, kind in inspect.getmembers(exceptions, inspect.isclass) if issubclass(kind, ROOTS)
]
BUGS: list[type[Exception]] = [
    exceptions.ResponseError,
    exceptions.ClusterCrossSlotError,
    exceptions.CrossSlotTransactionError,
    exceptions.DataError,
    exceptions.ExecAbortError,
    exceptions.InvalidPipelineStack,
    exceptions.LockError,
    exceptions.LockNotOwnedError,
    exceptions.ModuleError,
    exceptions.NoSuchFieldsetError,
    exceptions.PubSubError,
    exceptions.WatchError,
]


def raised(error: Exception) -> Exception:
    with pytest.raises(Exception) as caught, store_errors():  # noqa: PT011  any may come
        raise error
    return caught.value


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in BUGS])
def test_what_may_pass_is_the_store_being_unavailable(kind: type[Exception]) -> None:
    error = raised(kind("1 127.0.0.1:7000"))
    assert isinstance(error, StoreUnavailable)
    assert kind.__name__ in str(error)


@pytest.mark.parametrize("kind", BUGS)
def test_a_bug_stays_as_it_is(kind: type[Exception]) -> None:
    assert type(raised(kind("ERR wrong"))) is kind


@pytest.mark.parametrize("text", ["MISCONF cannot persist", "NOREPLICAS Not enough", "BUSY script"])
def test_a_refusal_without_a_class_is_known_by_its_first_word(text: str) -> None:
    assert isinstance(raised(exceptions.ResponseError(text)), StoreUnavailable)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("ERR Script attempted to access a non local key in a cluster node", "moves to another"),
        ("ERR user_script:9: t:ids is not what a ledger writes", "not one of a ledger"),
    ],
)
def test_what_the_script_says_is_known(text: str, advice: str) -> None:
    error = raised(exceptions.ResponseError(text))
    assert isinstance(error, StoreUnavailable)
    assert advice in str(error)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (exceptions.OutOfMemoryError("OOM"), "its memory is full"),
        (exceptions.TimeoutError("x"), "did not answer in time"),
        (exceptions.ConnectionError("x"), "cannot be reached"),
        (exceptions.AuthenticationError("x"), "refused the credentials"),
    ],
)
def test_the_message_says_what_to_do(error: Exception, advice: str) -> None:
    assert advice in str(raised(error))


def test_other_errors_are_let_through() -> None:
    assert type(raised(KeyError("x"))) is KeyError

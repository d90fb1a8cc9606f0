from __future__ import annotations

import socket
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from redis import Redis

from tollgate.connections.redis import open_redis_sync
from tollgate.errors import SettingsError
from tollgate.local.embedded_redis import SERVER_FILE, embedded_redis

pytest_plugins = ["servers"]


def _increment(url: str) -> int:
    with closing(open_redis_sync(url)) as redis:
        return int(redis.incr("counter"))


def _remember_a_free_port(folder: Path) -> int:
    """One that no test beside this one takes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir(exist_ok=True)
    (folder / SERVER_FILE).write_bytes(msgspec.json.encode({"port": port}))
    return port


def test_a_server_that_was_left_behind_is_ended_and_nothing_that_it_took_is_lost(
    tmp_path: Path,
) -> None:
    _remember_a_free_port(tmp_path)
    with ExitStack() as left_behind:
        first = left_behind.enter_context(embedded_redis(tmp_path))
        assert _increment(first) == 1
        with closing(Redis.from_url(first, socket_timeout=5)) as connected:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
            before = connected.info("server")["run_id"]  # pyright: ignore[reportUnknownMemberType]  same
            with embedded_redis(tmp_path) as second:
                assert second == first
                assert _increment(second) == 2
                assert connected.info("server")["run_id"] != before  # pyright: ignore[reportUnknownMemberType]  same


def test_its_url_stays_the_same_over_restarts_where_the_port_is_free(tmp_path: Path) -> None:
    port = _remember_a_free_port(tmp_path)
    for _ in range(2):
        with embedded_redis(tmp_path) as url:
            assert urlsplit(url).port == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        with embedded_redis(tmp_path) as elsewhere:
            assert urlsplit(elsewhere).port != port


def test_beside_a_server_that_hangs_none_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tollgate.local.embedded_redis._ANSWER_S", 0.1)
    port = _remember_a_free_port(tmp_path)
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(SettingsError, match=rf"TimeoutError.*; end it, .*{SERVER_FILE}"),
    ):
        embedded_redis(tmp_path).__enter__()


def test_a_redis_of_someone_else_on_the_remembered_port_is_left_alone(
    redis_server: str, tmp_path: Path
) -> None:
    port = urlsplit(redis_server).port
    (tmp_path / SERVER_FILE).write_bytes(msgspec.json.encode({"port": port}))
    with embedded_redis(tmp_path) as url:
        assert urlsplit(url).port != port
    with closing(open_redis_sync(redis_server)) as redis:
        assert redis.ping()  # pyright: ignore[reportUnknownMemberType]  types of redis-py


def test_a_note_that_cannot_be_read_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / SERVER_FILE).write_bytes(b"rubbish")
    with embedded_redis(tmp_path) as url:
        assert _increment(url) == 1


@pytest.mark.parametrize("name", ["with blank", "with'quote"])
def test_a_path_that_the_server_cannot_read_is_told(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(SettingsError, match="takes no blanks or quotes in a path"),
        embedded_redis(tmp_path / name),
    ):
        pass


def test_a_server_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_text("is no folder")
    with pytest.raises(SettingsError, match=r"does not start; see .*valkey\.log"):
        embedded_redis(tmp_path).__enter__()

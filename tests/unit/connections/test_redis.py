"""URLs of Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection

from tollgate.connections.redis import open_redis, open_redis_sync

BAD = {
    "http://:hunter2@h": "begins with none of",
    "hunter2": "begins with none of",
    "redis:hunter2": "it has no host",
    "redis://:hunter2@": "it has no host",
    "redis://:hun/ter2@h:6379": "cannot be read",
    "redis://h:hunter2": "cannot be read",
    "redis://:hun#ter2@h": "# as %23",
    "redis://h#hunter2": "write it as %23",
    "redis://h:0": "its port is 0",
    "redis://h/hunter2": "its database is not a number",
    "redis://h?password=hunter2": "it has an option that is none of",
    "unix://": "it has no path",
}


@pytest.mark.parametrize(("url", "problem"), BAD.items())
def test_a_bad_url_is_explained_in_one_line_without_its_password(url: str, problem: str) -> None:
    for connect in (open_redis, open_redis_sync):
        with pytest.raises(ValueError, match=problem) as caught:
            connect(url)
        assert "ter2" not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://h", "redis://u:p@h:7000/1", "redis://[::1]:1?db=2"])
def test_a_good_url_opens_without_connecting(url: str) -> None:
    assert open_redis(url).connection_pool.connection_kwargs["socket_timeout"] == 5
    with open_redis_sync(url) as client:
        assert client.connection_pool.connection_kwargs["socket_connect_timeout"] == 5


def test_rediss_means_tls() -> None:
    client = open_redis("rediss://:key@name.westeurope.redis.azure.net:10000")
    assert client.connection_pool.connection_class is SSLConnection
    assert client.connection_pool.connection_kwargs["port"] == 10000


def test_unix_means_a_socket() -> None:
    client = open_redis("unix:///run/redis.sock?db=1")
    assert client.connection_pool.connection_class is UnixDomainSocketConnection
    assert client.connection_pool.make_connection()


@pytest.mark.parametrize("connect", [open_redis, open_redis_sync])
def test_a_lost_answer_is_asked_for_again(connect: Callable[[str], Any]) -> None:
    pool = connect("redis://h").connection_pool
    assert pool.make_connection().retry.get_retries() > 0

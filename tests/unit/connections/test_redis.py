"""URLs of Redis."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import RedisCluster
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.connections.redis_entra import EntraCredentials
from tollgate.connections.redis_nodes import remap_to

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
    "redis://h?cluster=yes": "neither true nor false",
    "redis://h/1?cluster=true": "one database",
    "redis://h?cluster=true&db=2": "one database",
    "unix:///run/redis.sock?cluster=true": "no unix socket",
    "redis://h?auth=entra": "needs TLS",
    "rediss://h?auth=hunter2": "auth is not entra",
    "rediss://u:hunter2@h?auth=entra": "no user or password",
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


def test_cluster_means_a_client_of_a_cluster() -> None:
    client: Any = open_redis("redis://h:7000?cluster=true&db=0")
    assert isinstance(client, RedisCluster)
    assert [(node.host, node.port) for node in client.nodes_manager.startup_nodes.values()] == [
        ("h", 7000)
    ]


def test_entra_means_this_process_s_identity() -> None:
    client = open_redis("rediss://h:10000?auth=entra")
    assert isinstance(
        client.connection_pool.connection_kwargs["credential_provider"], EntraCredentials
    )


def test_a_package_that_entra_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tollgate.connections.redis_entra", raising=False)
    monkeypatch.setitem(sys.modules, "redis_entraid.cred_provider", None)
    with pytest.raises(ValueError, match="auth=entra needs the package redis_entraid"):
        open_redis("rediss://h?auth=entra")


def test_a_node_that_announces_an_address_of_its_name_is_reached_by_name() -> None:
    remap = remap_to("rediss://localhost:10000?cluster=true")
    assert remap(("127.0.0.1", 8501)) == ("localhost", 8501)
    assert remap(("10.1.2.3", 8501)) == ("10.1.2.3", 8501)
    assert remap(("other", 8501)) == ("other", 8501)


@pytest.mark.parametrize("url", ["redis://localhost", "rediss://127.0.0.1", "rediss://not.a.name"])
def test_other_nodes_are_reached_as_they_say(url: str) -> None:
    assert remap_to(url)(("127.0.0.1", 1)) == ("127.0.0.1", 1)


def test_unix_means_a_socket() -> None:
    client = open_redis("unix:///run/redis.sock?db=1")
    assert client.connection_pool.connection_class is UnixDomainSocketConnection
    assert client.connection_pool.make_connection()


@pytest.mark.parametrize("connect", [open_redis, open_redis_sync])
def test_a_lost_answer_is_asked_for_again(connect: Callable[[str], Any]) -> None:
    pool = connect("redis://h").connection_pool
    assert pool.make_connection().retry.get_retries() > 0

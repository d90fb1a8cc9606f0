"""A Redis Cluster of three masters for tests: real processes, without replicas.

Name it in `pytest_plugins` to have its fixtures, with `certificates` for the one with TLS; it may
be imported as well (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from certificates import NAME
from servers import free_port, redis_binary, running

from tollgate.connections.redis import open_redis_sync

NODES = 3
_SLOTS = 16_384
_JOIN_S = 20.0
_OF_A_NODE = ("--cluster-enabled", "yes", "--cluster-node-timeout", "5000")


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[str]:
    """The URL of a cluster, as one of its nodes."""
    with cluster([()] * NODES) as url:
        yield f"{url}?cluster=true"


@pytest.fixture(scope="session")
def redis_cluster_with_tls(certificate: Path) -> Iterator[str]:
    """The URL of one whose nodes announce addresses, and whose certificate has only a name."""
    own = str(certificate)
    files = ("--tls-cert-file", own, "--tls-key-file", own)
    trust = ("--tls-ca-cert-file", own, "--tls-auth-clients", "no", "--tls-cluster", "yes")
    ports = [free_port() for _ in range(NODES)]
    options = [("--tls-port", str(port), *files, *trust) for port in ports]
    with cluster(options, ports):
        yield f"rediss://{NAME}:{ports[0]}?cluster=true&ssl_ca_certs={own}"


@contextmanager
def cluster(options: Sequence[Sequence[str]], ports: Sequence[int] | None = None) -> Generator[str]:
    """The URL of a node of a cluster that runs while the block does.

    Args:
        options: One set a node.
        ports: Where the nodes meet; by default where they are reached.
    """
    with ExitStack() as nodes:
        urls = [
            nodes.enter_context(running(redis_binary(), *_OF_A_NODE, *each)) for each in options
        ]
        clients: list[Any] = [nodes.enter_context(open_redis_sync(url)) for url in urls]
        share = _SLOTS // NODES
        for number, client in enumerate(clients):
            last = _SLOTS - 1 if number == NODES - 1 else (number + 1) * share - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * share, last)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for port in ports or [urlsplit(url).port for url in urls]:
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", port)
        give_up = time.monotonic() + _JOIN_S
        while not all(_is_whole(client) for client in clients):
            if time.monotonic() > give_up:
                pytest.fail("the nodes do not become a cluster")
            time.sleep(0.02)
        yield urls[0]


def _is_whole(node: Any) -> bool:
    said: bytes = node.execute_command("CLUSTER", "INFO")
    return {b"cluster_state:ok", b"cluster_known_nodes:%d" % NODES} <= set(said.split())

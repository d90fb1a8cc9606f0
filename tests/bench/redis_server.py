"""A Redis that writes nothing to disk, on a core of its own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from bench.processes import Server, running


@contextmanager
def redis_on(core: int, name: str) -> Generator[Server]:
    """An empty server while the block runs."""
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running(name, core, lambda port: ["redis-server", "--port", str(port), *options]) as it:
        yield it


def url_of(server: Server) -> str:
    """Where it is reached."""
    return f"redis://127.0.0.1:{server.port}"

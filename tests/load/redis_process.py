"""A redis-server that keeps its data (AOF, appendfsync always), and may be killed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from servers import free_port, redis_binary

_START_S: Final = 30.0
_SAFE: Final = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
_NOEVICTION: Final = ("--maxmemory-policy", "noeviction")
# So small that it is often in the middle of a rewrite when it is killed.
_REWRITES: Final = ("--auto-aof-rewrite-min-size", "256kb", "--auto-aof-rewrite-percentage", "40")


class RedisProcess:
    """One server: its port and its data stay, its processes come and go.

    Args:
        folder: For its data and its log.

    Attributes:
        kills: How often it was killed.
    """

    def __init__(self, folder: Path) -> None:
        self.kills = 0
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it on the data that it left, and wait until it serves."""
        with (self._folder / "redis.log").open("ab") as log:
            where = ("--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(self._folder))
            self._process = await asyncio.create_subprocess_exec(
                redis_binary(), *where, *_SAFE, *_NOEVICTION, *_REWRITES, stdout=log
            )
        async with asyncio.timeout(_START_S):
            while not await self._serves(self._process.pid):
                assert self._process.returncode is None, self.log[-2000:]
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL."""
        await self.end()
        self.kills += 1

    async def end(self) -> None:
        """Leave nothing behind."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def log(self) -> str:
        """What it said."""
        return (self._folder / "redis.log").read_text()

    async def _serves(self, pid: int) -> bool:
        retry = Retry(NoBackoff(), 0)
        async with Redis(host="127.0.0.1", port=self._port, retry=retry) as client:
            try:
                server = await client.info("server")  # pyright: ignore[reportUnknownMemberType]  types of redis-py
                await client.ping()  # pyright: ignore[reportUnknownMemberType]  same
            except RedisError:
                return False
        return server["process_id"] == pid

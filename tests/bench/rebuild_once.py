"""Rebuilds a ledger once, or only decodes its archive, and prints the seconds and peak memory.

Arguments: `rebuild` or `decode_only`, the archive, the URL of Redis, and the time of day.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from bench.machine import peak_mb

from tollgate.connections.redis import open_redis
from tollgate.ledger.archive_files import archive_files, read_raw
from tollgate.ledger.rebuild import Rebuild
from tollgate.usage.event import Name, UsageEvent


class Measured(msgspec.Struct, frozen=True):
    """One run: events, seconds of the clock and of this process's core, and its memory."""

    events: int
    wall_s: float
    cpu_s: float
    peak_mb: float


def rebuild(folder: Path, url: str, now: datetime) -> int:
    """Rebuild a ledger; its events."""

    async def run(scratch: Path) -> int:
        async with open_redis(url) as redis:
            work = Rebuild(redis, folder, scratch, lambda: now, settle_s=0)
            return (await work.run()).events

    with tempfile.TemporaryDirectory(prefix="tollgate-rebuild-") as scratch:
        return asyncio.run(run(Path(scratch)))


def decode_only(folder: Path, _url: str, _now: datetime) -> int:
    """Read and decode the archive's events with all constraints, and nothing else."""
    decode, events = msgspec.json.Decoder(UsageEvent[Name]).decode, 0
    for file in archive_files(folder):
        for _number, line in read_raw(file):
            decode(line)
            events += 1
    return events


_WAYS: Final[dict[str, Callable[[Path, str, datetime], int]]] = {
    "rebuild": rebuild,
    "decode_only": decode_only,
}


def main() -> None:
    """Run what the arguments name."""
    way, folder, url, now = sys.argv[1:]
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    events = _WAYS[way](Path(folder), url, datetime.fromisoformat(now))
    measured = Measured(
        events,
        time.perf_counter() - wall_s,
        time.process_time() - cpu_s,
        peak_mb(),
    )
    sys.stdout.write(msgspec.json.encode(measured).decode())


if __name__ == "__main__":
    main()

"""A worker of its own: applies new events as a trigger would, once it is told to.

Arguments: URL, how many events, seed. It says "ready", waits for a line, and says the CPU time that
applying them took, in seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time

from bench.ledger_events import raw_events
from bench.ledger_ingest import ingest

from tollgate.connections.redis import open_redis
from tollgate.ledger.redis_ledger import RedisLedger


async def _main(url: str, count: int, seed: str) -> None:
    raws = raw_events(seed)(count)
    async with open_redis(url) as redis:
        ledger = RedisLedger(redis)
        await ingest(ledger, raw_events(f"{seed} first")(1))
        print("ready", flush=True)  # noqa: T201  to who started it
        sys.stdin.readline()
        began_s = time.process_time()
        await ingest(ledger, raws)
        print(time.process_time() - began_s, flush=True)  # noqa: T201  same


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))

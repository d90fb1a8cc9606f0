"""Workers and Redis killed under load, and the cells afterwards: to the token."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from load.deliveries import Deliveries
from load.feed import feed
from load.ledger_books import LedgerBooks
from load.ledger_stage import Kills, LedgerStage
from load.ledger_worker import PLACES
from load.redis_process import RedisProcess

_BATCH: Final = 40
_EVENTS_A_WORKER_KILL: Final = 500
_EVENTS_A_REDIS_KILL: Final = 5_000
_LEAST: Final = Kills(workers=10, redis=2)


class LedgerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the show did, and how the cells came out of it."""

    seed: int
    events: int
    tokens: int
    batches: int
    deliveries: int
    delivered: int
    returned: int
    deaths: dict[str | None, int]
    redis_kills: int
    conflicts: int
    dead_letters: int
    rows: int
    archived: int
    load_s: float
    seconds: float

    @property
    def worker_kills(self) -> int:
        """All of them."""
        return sum(self.deaths.values())

    @property
    def duplicates(self) -> int:
        """How many events were handed out that had been before."""
        return self.delivered - self.events - self.conflicts - self.dead_letters

    def __str__(self) -> str:
        lines = {
            "distinct events": f"{self.events:,} with {self.tokens:,} tokens",
            "rows of cells": f"{self.rows:,}",
            "batches": f"{self.batches:,}",
            "deliveries": f"{self.deliveries:,} acknowledged, {self.returned:,} came back",
            "events delivered": f"{self.delivered:,}, of them {self.duplicates:,} again",
            "kills of workers": f"{self.worker_kills:,}: {self._places()}",
            "kills of Redis": f"{self.redis_kills:,}",
            "conflicts": f"{self.conflicts:,} kept aside",
            "dead letters": f"{self.dead_letters:,} kept once each",
            "events in the archive": f"{self.archived:,}, duplicates included",
            "differences": "0: cells, rebuilt cells, audit",
            "seconds": f"{self.seconds:.0f}, {self.load_s:.0f} of them under load",
        }
        table = "\n".join(f"  {name:22} {text}" for name, text in lines.items())
        return f"ledger, seed {self.seed}:\n{table}"

    def _places(self) -> str:
        aimed = {place: self.deaths.get(place, 0) for place in (*PLACES, None)}
        return ", ".join(f"{times} {place or 'at random'}" for place, times in aimed.items())


async def kill_ledger_under_load(events: int, folder: Path, seed: int = 1) -> LedgerFigures:
    """Deliver so many events, kill who counts them, and compare the cells with another count.

    Args:
        events: How many distinct ones.
        folder: For all files.
        seed: Draws events, deliveries and deaths.

    Raises:
        AssertionError: A counter differs, or what should be kept is not; a note has the seed.
    """
    redis = RedisProcess(folder)
    try:
        await redis.start()
        return await _show(events, LedgerStage(folder, redis, seed), redis, seed)
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise
    finally:
        await redis.end()


async def _show(events: int, stage: LedgerStage, redis: RedisProcess, seed: int) -> LedgerFigures:
    began_s = time.monotonic()
    now = datetime.now(UTC)  # noqa: TID251  the workers read the clock, too
    fed = feed(events, _BATCH, now, Random(f"{seed} feed"))  # noqa: S311  no secrets
    deliveries = Deliveries(fed.batches, Random(f"{seed} broker"))  # noqa: S311  same
    kills = Kills(
        max(_LEAST.workers, events // _EVENTS_A_WORKER_KILL),
        max(_LEAST.redis, events // _EVENTS_A_REDIS_KILL),
    )
    await stage.deliver(deliveries, kills)
    load_s = time.monotonic() - began_s
    books = LedgerBooks(fed, stage.environment)
    books.check_cells()
    await books.check_what_is_kept_aside()
    await books.audit()
    archived = await books.rebuild()
    books.check_cells()
    await books.check_what_is_kept_aside()
    await books.audit()
    again = Deliveries(fed.batches, Random(f"{seed} again"), times=(1,))  # noqa: S311  same
    await stage.deliver_in_peace(again)
    books.check_cells()
    expected = books.expected
    return LedgerFigures(
        seed=seed,
        events=len(fed.valid),
        tokens=expected.tokens,
        batches=len(fed.batches),
        deliveries=deliveries.acknowledged,
        delivered=deliveries.events,
        returned=deliveries.returned,
        deaths=dict(stage.deaths),
        redis_kills=redis.kills,
        conflicts=len(fed.conflicts),
        dead_letters=len(fed.refused),
        rows=len(expected.money) + len(expected.users),
        archived=archived,
        load_s=load_s,
        seconds=time.monotonic() - began_s,
    )

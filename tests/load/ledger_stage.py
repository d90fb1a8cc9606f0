"""A ledger's processes while they are killed: two workers, Redis, and a broker that goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from load.deliveries import Deliveries, Delivery
from load.ledger_worker import PLACES
from load.redis_process import RedisProcess
from load.worker_process import WorkerProcess

WORKERS: Final = 2
_BATCHES_AT_ONCE: Final = 3  # of a worker; an event hub's partitions
_LAST_MOMENT_S: Final = 0.03
_WAYS: Final = (*PLACES, None, None, None)  # of eight deaths, five are aimed
_OUTAGES_S: Final = (0.0, 0.1, 0.5)
_LONG_OUTAGE_S: Final = 6.0  # more than redis-py's own retries last
_LONG_EVERY: Final = 5
_POLL_S: Final = 0.005


class Kills(msgspec.Struct, frozen=True):
    """How often, about, workers and Redis are killed."""

    workers: int
    redis: int


class Death(msgspec.Struct, frozen=True):
    """How a worker dies.

    Args:
        batch: With the how manieth batch that it is given.
        place: Where it takes its own life, one of `PLACES`; None is from outside.
        moment_s: Then, how long after it was given the batch.
    """

    batch: int
    place: str | None
    moment_s: float


class LedgerStage:
    """What runs for one show.

    Args:
        folder: For all files.
        redis: Is started by the caller.
        seed: Says when each is killed, as far as a seed can.

    Attributes:
        archive: The archive's folder.
        deaths: How often workers were killed, by place; None is from outside.
    """

    def __init__(self, folder: Path, redis: RedisProcess, seed: int) -> None:
        self.archive = folder / "archive"
        self.deaths: Counter[str | None] = Counter()
        self._log = folder / "workers.log"
        self._redis, self._seed = redis, seed
        self._ways: list[str | None] = []

    @property
    def environment(self) -> dict[str, str]:
        """For the product's own commands."""
        return {"TOLLGATE_REDIS_URL": self._redis.url, "TOLLGATE_ARCHIVE": str(self.archive)}

    async def deliver(self, deliveries: Deliveries, kills: Kills) -> None:
        """Deliver everything, whoever dies meanwhile."""
        mean_life = max(1, deliveries.planned // max(1, kills.workers))
        async with asyncio.TaskGroup() as tasks:
            for number in range(WORKERS):
                random = Random(f"{self._seed} worker {number}")  # noqa: S311  moments, not secrets
                tasks.create_task(self._lives(deliveries, mean_life, random))
            tasks.create_task(self._kill_redis(deliveries, kills.redis))

    async def deliver_in_peace(self, deliveries: Deliveries) -> None:
        """Deliver everything; nobody dies."""
        worker = await WorkerProcess.start(self.environment, self._log)
        await _live(worker, deliveries, None)

    async def _lives(self, deliveries: Deliveries, mean_life: int, random: Random) -> None:
        while not deliveries.is_done:
            worker = await WorkerProcess.start(self.environment, self._log)
            death = Death(
                batch=random.randint(1, 2 * mean_life),
                place=self._way(random),
                moment_s=random.uniform(0, _LAST_MOMENT_S),
            )
            self.deaths[death.place] += await _live(worker, deliveries, death)

    def _way(self, random: Random) -> str | None:
        """All ways one after the other, in an order drawn."""
        if not self._ways:
            self._ways = random.sample(_WAYS, len(_WAYS))
        return self._ways.pop()

    async def _kill_redis(self, deliveries: Deliveries, kills: int) -> None:
        random = Random(f"{self._seed} redis")  # noqa: S311  moments, not secrets
        moments = sorted(random.randrange(deliveries.planned * 9 // 10) for _ in range(kills))
        for number, moment in enumerate(moments, start=1):
            while deliveries.acknowledged < moment:
                if deliveries.is_done:
                    return
                await asyncio.sleep(_POLL_S)
            await asyncio.sleep(random.uniform(0, _LAST_MOMENT_S))
            is_long = number % _LONG_EVERY == 0
            await self._redis.kill()
            await asyncio.sleep(_LONG_OUTAGE_S if is_long else random.choice(_OUTAGES_S))
            await self._redis.start()


async def _live(worker: WorkerProcess, deliveries: Deliveries, death: Death | None) -> bool:
    """Let a worker work until it dies or all is done; whether it was killed."""
    numbers = count(1)

    async def carry() -> None:
        while not worker.is_dead and (delivery := await deliveries.take()):
            is_last = death is not None and next(numbers) == death.batch
            taken = await _give(worker, delivery, death if is_last else None)
            await (deliveries.acknowledge if taken else deliveries.give_back)(delivery)

    try:
        await asyncio.gather(*(carry() for _ in range(_BATCHES_AT_ONCE)))
        return await worker.stop()
    finally:
        worker.kill()


async def _give(worker: WorkerProcess, delivery: Delivery, death: Death | None) -> bool:
    if death and death.place is None:
        asyncio.get_running_loop().call_later(death.moment_s, worker.kill)
    return await worker.take(delivery, death.place if death else None)

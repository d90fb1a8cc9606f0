"""SIGKILL under load, again and again, and the books afterwards."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from load.books import (
    assert_each_answer_has_its_event,
    assert_nothing_is_made_up,
    assert_the_ledger_counts_once,
)
from load.gateway_process import GatewayProcess
from load.stage import Stage, stage

_CLIENTS_OF_A_KIND: Final = 2
_BETWEEN_FRAMES_S: Final = 0.002
# So long a started gateway lives, at least and at most, in seconds.
_LIFE_S: Final = (0.05, 0.6)
# Every so many times it dies as it starts, when it takes over what the one before has left.
_IN_VAIN_EVERY: Final = 4


class KillFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the kills did."""

    kills: int
    seconds: float
    start_s: float
    requests: int
    complete: int
    events: int
    unknown: int
    deliveries: int

    def __str__(self) -> str:
        return (
            f"kills: {self.kills} in {self.seconds:.0f} s, start {self.start_s:.2f} s;"
            f" {self.requests} requests, {self.complete} answered to the last byte,"
            f" {self.requests - self.complete} cut; {self.events} events of requests"
            f" ({self.unknown} unknown) in {self.deliveries} deliveries; 0 missing, 0 with two"
            f" bodies, ledger = events"
        )


async def kill_under_load(kills: int, folder: Path) -> KillFigures:
    """Kill the gateway so often while clients call, and check what was published.

    Args:
        kills: How often.
        folder: For the gateway's files.

    Raises:
        AssertionError: An answer has no event, or an event contradicts another one or the answer.
    """
    began_s, random = time.monotonic(), Random(kills)  # noqa: S311  moments, not secrets
    async with stage(folder, _BETWEEN_FRAMES_S) as on:
        async with on.clients(_CLIENTS_OF_A_KIND, random, lambda: random.uniform(0, 0.02)):
            for number in range(1, kills + 1):
                await _live_and_die(on.gateway, number, random)
            await on.gateway.start()
            await asyncio.sleep(_LIFE_S[1])
        await on.settle()
        assert_each_answer_has_its_event(on.told, on.topic)
        assert_nothing_is_made_up(on.told, on.topic)
        assert_the_ledger_counts_once(on.topic)
        assert on.gateway.bugs == 0
        return _figures(on, kills, time.monotonic() - began_s)


async def _live_and_die(gateway: GatewayProcess, number: int, random: Random) -> None:
    if number % _IN_VAIN_EVERY == 0:
        usual_s = gateway.starts_s[0]
        await gateway.start_in_vain(random.uniform(0.6, 1.1) * usual_s)
        return
    await gateway.start()
    await asyncio.sleep(random.uniform(*_LIFE_S))
    await gateway.kill()


def _figures(on: Stage, kills: int, seconds: float) -> KillFigures:
    requests, starts = on.topic.requests, on.gateway.starts_s
    provenances = Counter(data.provenance for data in requests.values())
    return KillFigures(
        kills=kills,
        seconds=seconds,
        start_s=sum(starts) / len(starts),
        requests=len(on.told),
        complete=sum(each.complete for each in on.told),
        events=len(requests),
        unknown=provenances["unknown"],
        deliveries=on.topic.deliveries,
    )

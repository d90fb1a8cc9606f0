"""A soak: mixed load while regions fail at random, then the books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
from load.books import (
    assert_billed_as_published,
    assert_each_answer_has_its_event,
    assert_nothing_is_made_up,
    assert_the_ledger_counts_once,
)
from load.calls import Told
from load.chaos import Chaos
from load.memory import MemorySamples, Trend
from load.stage import REGIONS, Stage, stage

_CLIENTS_OF_A_KIND: Final = 2
_PAUSE_S: Final = (0.05, 0.25)
_SPELL_S: Final = 1.0
_FAULTS_SEED: Final = 8  # its first rounds have a good mix
# Open circuits are tried again after a second; a dozen calls then find every region.
_RECOVERY_S: Final = 10.0
# A short soak is still warming up, so its slope says little; a long one may not grow for ever.
_MOST_GROWTH_MB: Final = 3.0
_MOST_MB_PER_MIN: Final = 0.3


class SoakFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the soak saw."""

    seconds: float
    rounds: int
    told: int
    cut_streams: int
    left: int
    attempts_lost: int
    events: int
    tokens: int
    failed_over: int
    recovered_s: float
    memory: Trend

    def __str__(self) -> str:
        memory = self.memory
        return (
            f"soak: {self.seconds:.0f} s, {self.rounds} changes of the healthy region;"
            f" {self.told} requests = {self.events} events, 0 avoidable errors,"
            f" {self.failed_over} failed over, {self.cut_streams} streams cut behind their first"
            f" content, {self.left} clients left, {self.attempts_lost} attempts with a cost;"
            f" {self.tokens} tokens of whole answers = the regions' logs; all regions serve again"
            f" after {self.recovered_s:.1f} s; memory {memory.first_mb:.1f} to"
            f" {memory.last_mb:.1f} MB in {memory.seconds:.0f} s ({memory.mb_per_min:+.2f} MB/min)"
        )


async def soak(seconds: float, folder: Path) -> SoakFigures:
    """Soak the gateway, and check what came of it.

    Args:
        seconds: How long regions fail.
        folder: For the gateway's files.

    Raises:
        AssertionError: An error that a healthy region could have avoided, an event too many or too
            few, tokens that nobody billed, memory that grows.
    """
    random = Random(1)  # noqa: S311  a mix, not secrets
    async with stage(folder) as on:
        await on.gateway.start()
        urls = {name: region.url for name, region in on.regions.items()}
        chaos = Chaos(urls, Random(_FAULTS_SEED))  # noqa: S311  same
        memory = MemorySamples(lambda: on.gateway.rss_mb)
        async with on.clients(_CLIENTS_OF_A_KIND, random, lambda: random.uniform(*_PAUSE_S)):
            async with _beside(chaos.reign(_SPELL_S)), _beside(memory.take()):
                await asyncio.sleep(seconds)
            await chaos.end()
        recovered_s = await _until_all_serve(on, random)
        await on.settle()
        return _checked(
            on,
            SoakFigures(
                seconds=seconds,
                rounds=chaos.rounds,
                told=len(on.told),
                cut_streams=sum(each.broken for each in on.told),
                left=sum(each.left for each in on.told),
                attempts_lost=len(on.topic.events) - len(on.topic.requests),
                events=len(on.topic.requests),
                tokens=0,
                failed_over=sum(data.attempts > 1 for data in on.topic.requests.values()),
                recovered_s=recovered_s,
                memory=memory.trend(),
            ),
        )


def _checked(on: Stage, figures: SoakFigures) -> SoakFigures:
    avoidable = [each for each in on.told if _was_avoidable(each)]
    assert not avoidable, (len(avoidable), avoidable[:5])
    assert len(on.topic.requests) == len(on.told), (len(on.topic.requests), len(on.told))
    assert_each_answer_has_its_event(on.told, on.topic)
    assert_nothing_is_made_up(on.told, on.topic)
    assert_the_ledger_counts_once(on.topic)
    tokens = assert_billed_as_published(on.log, on.told, on.topic)
    assert on.gateway.bugs == 0
    assert _is_flat(figures.memory), figures.memory
    return msgspec.structs.replace(figures, tokens=tokens)


def _is_flat(memory: Trend) -> bool:
    return memory.growth_mb < _MOST_GROWTH_MB or memory.mb_per_min < _MOST_MB_PER_MIN


def _was_avoidable(told: Told) -> bool:
    """Whatever went wrong before the first content, another region could have served."""
    went_wrong = told.error is not None or told.status != 200
    return went_wrong or (told.broken and not told.frames)


async def _until_all_serve(on: Stage, random: Random) -> float:
    """Call until each region has served a call that came after its last fault; how long it took."""
    began_s = time.monotonic()
    before = {name: len(region.log) for name, region in on.regions.items()}
    async with asyncio.timeout(_RECOVERY_S):
        while any(not _serves(on, name, before[name]) for name in REGIONS):
            await on.call("chat", random)
            await asyncio.sleep(0.05)
    return time.monotonic() - began_s


def _serves(on: Stage, name: str, since: int) -> bool:
    return any(entry.status == 200 for entry in list(on.regions[name].log)[since:])


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Run `work` while the block does; an error of it ends the block's success."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
    assert isinstance(outcome, asyncio.CancelledError), outcome

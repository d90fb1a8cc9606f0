"""Whether a process's memory is flat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec

_EVERY_S: Final = 0.25


class Trend(msgspec.Struct, frozen=True):
    """A straight line through what was sampled after the warm-up.

    Args:
        first_mb: Where the line begins, in MB (10^6 bytes).
        last_mb: Where it ends.
        seconds: How long it is.
    """

    first_mb: float
    last_mb: float
    seconds: float

    @property
    def growth_mb(self) -> float:
        """From the line's begin to its end."""
        return self.last_mb - self.first_mb

    @property
    def mb_per_min(self) -> float:
        """The line's slope."""
        return self.growth_mb / self.seconds * 60


class MemorySamples:
    """Samples of resident memory.

    Args:
        rss_mb: Reads it.
    """

    def __init__(self, rss_mb: Callable[[], float]) -> None:
        self._rss_mb = rss_mb
        self._samples: list[tuple[float, float]] = []

    async def take(self) -> None:
        """Sample until cancelled."""
        while True:
            self._samples.append((time.monotonic(), self._rss_mb()))
            await asyncio.sleep(_EVERY_S)

    def trend(self, warm_up: float = 0.4) -> Trend:
        """The least-squares line behind the warm-up.

        Args:
            warm_up: The share of the time that is left out.
        """
        begin_s, end_s = self._samples[0][0], self._samples[-1][0]
        from_s = begin_s + (end_s - begin_s) * warm_up
        return fitted([(at, mb) for at, mb in self._samples if at >= from_s])


def fitted(samples: list[tuple[float, float]]) -> Trend:
    """The least-squares line through (seconds, MB)."""
    mean_s = sum(at for at, _ in samples) / len(samples)
    mean_mb = sum(mb for _, mb in samples) / len(samples)
    spread = sum((at - mean_s) ** 2 for at, _ in samples)
    slope = sum((at - mean_s) * (mb - mean_mb) for at, mb in samples) / spread
    first_s, last_s = samples[0][0], samples[-1][0]
    return Trend(
        mean_mb + slope * (first_s - mean_s), mean_mb + slope * (last_s - mean_s), last_s - first_s
    )

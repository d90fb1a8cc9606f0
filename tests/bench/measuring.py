"""Measures one thing beside its baseline, in turns, so that a noisy machine bothers both alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import msgspec

ROUNDS = 7
ROUND_S = 0.25


class Result(msgspec.Struct, frozen=True):
    """A figure beside its baseline.

    Args:
        name: What is measured.
        value: How much of it, in `unit`.
        unit: For example events/s.
        baseline: What it is compared with.
        baseline_value: The same for that.
        ratio: value / baseline_value.
    """

    name: str
    value: float
    unit: str
    baseline: str
    baseline_value: float
    ratio: float


class Contest(msgspec.Struct, frozen=True):
    """Two ways to do the same amount of work."""

    name: str
    unit: str
    baseline: str
    ours: Callable[[], int]
    theirs: Callable[[], int]

    def run(self) -> Result:
        """Run both in turns; the result is the median round of each."""
        rates = [(_rate(self.ours), _rate(self.theirs)) for _ in range(ROUNDS)]
        value, baseline_value = (median(rate) for rate in zip(*rates, strict=True))
        return Result(
            self.name, value, self.unit, self.baseline, baseline_value, value / baseline_value
        )


def _rate(work: Callable[[], int]) -> float:
    """Units of work a second; `work` returns how many it did."""
    started_s = time.perf_counter()
    done = 0
    while (elapsed_s := time.perf_counter() - started_s) < ROUND_S:
        done += work()
    return done / elapsed_s

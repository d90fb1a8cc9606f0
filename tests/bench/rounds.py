"""Rounds in turns, so that a noisy machine bothers all alike; a bothered round is repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Final

from bench.machine import Noise
from bench.measuring import Result
from rich.console import Console

ROUNDS: Final = 3
_MAX_NOISE: Final = 0.08  # share of all cores that others may take
_REPEATS_A_ROUND: Final = 2
_REPEATS: Final = 12  # all rounds together

Figures = dict[str, float]
Measure = Callable[[], Figures]


class Rounds:
    """Measures until the machine is quiet, but not for ever.

    Args:
        console: Where it says what it repeats.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._repeats = _REPEATS

    def medians(self, measures: Mapping[str, Measure]) -> dict[str, Figures]:
        """The median of each figure, by the names of the measures."""
        rounds = [
            {name: self.quiet(name, measure) for name, measure in measures.items()}
            for _ in range(ROUNDS)
        ]
        return {name: _medians([found[name] for found in rounds]) for name in measures}

    def quiet(self, name: str, measure: Measure) -> Figures:
        """The figures of a round in which others took little; else of the last one tried."""
        for tried in range(_REPEATS_A_ROUND + 1):
            noise = Noise()
            figures = measure()
            share = noise.share()
            if share <= _MAX_NOISE:
                return figures
            taken = f"{name}: other processes took {share:.0%} of the cores"
            if tried == _REPEATS_A_ROUND or not self._repeats:
                self._console.print(f"[yellow]{taken}; the round is kept all the same")
                return figures
            self._repeats -= 1
            self._console.print(f"{taken}; the round is repeated")
        raise AssertionError  # the last one returns


def compared(
    name: str, unit: str, key: str, ours: Figures, baselines: Mapping[str, Figures]
) -> Iterable[Result]:
    """One result a baseline."""
    for baseline, figures in baselines.items():
        yield result(name, unit, ours[key], baseline, figures[key])


def result(name: str, unit: str, value: float, baseline: str, baseline_value: float) -> Result:
    """A result; a baseline of nothing counts as the least that can be told from it."""
    return Result(name, value, unit, baseline, baseline_value, value / max(baseline_value, 0.001))


def _medians(rounds: list[Figures]) -> Figures:
    return {key: median(figures[key] for figures in rounds) for key in rounds[0]}

"""What happens in this process, in numbers: counters, gauges and histograms of a fixed set.

They are written in Prometheus's text format for `/metrics`, and as one JSON object for the log of
a process that nobody can scrape. No label has a name of a tenant or a user in it, so that the set
does not grow. Counts begin at 0 with the process, and only grow.

This is small on purpose: three kinds of number in one text format do not need a package, and the
Functions host forwards log lines, not metrics.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
Value = int | float


class Counter:
    """How often something happened, by kind.

    Args:
        name: Ends in `_total`.
        about: In a few words.
        label: What tells the kinds apart.
        kinds: All there are; each is shown, also with 0.
    """

    type: Final = "counter"

    def __init__(self, name: str, about: str, label: str = "", kinds: Sequence[str] = ()) -> None:
        self.name, self.about = name, about
        self._label = label
        self._counts = dict.fromkeys(kinds or ("",), 0)

    def add(self, amount: int = 1, kind: str = "") -> None:
        """Count.

        Raises:
            KeyError: There is no such kind.
        """
        self._counts[kind] += amount

    def lines(self) -> Iterator[tuple[str, Value]]:
        """Each kind as Prometheus names it, and its count."""
        for kind, count in self._counts.items():
            yield f'{self.name}{{{self._label}="{kind}"}}' if kind else self.name, count


class Gauge:
    """How much there is of something at the moment; nothing is shown while it is not known.

    Args:
        name: With its unit, if it has one.
        about: In a few words.
        read: Says how much.
    """

    type: Final = "gauge"

    def __init__(self, name: str, about: str, read: Callable[[], Value | None]) -> None:
        self.name, self.about = name, about
        self._read = read

    def lines(self) -> Iterator[tuple[str, Value]]:
        """Its name and value."""
        if (value := self._read()) is not None:
            yield self.name, value


class Histogram:
    """How something is spread.

    Args:
        name: With its unit.
        about: In a few words.
        bounds: Of the buckets, upwards; one without a bound follows.
    """

    type: Final = "histogram"

    def __init__(self, name: str, about: str, bounds: Sequence[float]) -> None:
        self.name, self.about = name, about
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Take one in."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self) -> Iterator[tuple[str, Value]]:
        """The buckets, each with all that is below, the sum and the count."""
        bounds = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        for bound, below in zip(bounds, accumulate(self._counts), strict=True):
            yield f'{self.name}_bucket{{le="{bound}"}}', below
        yield f"{self.name}_sum", self._sum
        yield f"{self.name}_count", sum(self._counts)


Metric = Counter | Gauge | Histogram


class Metrics:
    """The numbers of one process, in one order."""

    def __init__(self) -> None:
        self._metrics: dict[str, Metric] = {}

    def add(self, *metrics: Metric) -> None:
        """Have these, too; one of the same name gives way."""
        self._metrics.update((metric.name, metric) for metric in metrics)

    def exposition(self) -> str:
        """All of them in Prometheus's text format."""
        return "".join(_exposed(metric) for metric in self._metrics.values())

    def snapshot(self) -> Mapping[str, Value]:
        """All of them by name, but for the buckets."""
        lines = (line for metric in self._metrics.values() for line in metric.lines())
        return {_plain(name): value for name, value in lines if "_bucket{" not in name}


def _exposed(metric: Metric) -> str:
    lines: Iterable[str] = (f"{name} {value}\n" for name, value in metric.lines())
    head = f"# HELP {metric.name} {metric.about}\n# TYPE {metric.name} {metric.type}\n"
    return head + "".join(lines)


def _plain(name: str) -> str:
    """`events_total{outcome="late"}` as a member's name: `events_total_late`."""
    head, _, rest = name.partition("{")
    return f"{head}_{rest.split(chr(34))[1]}" if rest else head

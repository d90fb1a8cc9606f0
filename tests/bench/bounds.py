"""What the figures must hold, as ratios to baselines of the same run or as plain limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from bench.ledger_memory import MAX_BYTES_A_COUNTER, MAX_BYTES_AN_ID
from bench.measuring import Result
from bench.open_streams import MAX_STALL_S, MAX_STREAM_KB
from bench.report_contests import MAX_HELP_S, MAX_REPORT_MB
from bench.statement_contests import FORMATS, MAX_CPU_MS
from rich.table import Table

_SUFFIXES: Final = ("", "_128")


class Bound(msgspec.Struct, frozen=True):
    """A bound on one result.

    Args:
        name: Of the result.
        baseline: Of the result.
        least_ratio: How many times the baseline it must be.
        most_ratio: How many times the baseline it may be.
        most: What its value may be.
    """

    name: str
    baseline: str
    least_ratio: float | None = None
    most_ratio: float | None = None
    most: float | None = None

    def holds(self, result: Result) -> bool:
        """Whether it does."""
        return (
            (self.least_ratio is None or result.ratio >= self.least_ratio)
            and (self.most_ratio is None or result.ratio <= self.most_ratio)
            and (self.most is None or result.value <= self.most)
        )

    def said(self) -> str:
        """The bound in words."""
        if self.least_ratio is not None:
            return f"at least {self.least_ratio:g} x {self.baseline}"
        if self.most_ratio is not None:
            return f"at most {self.most_ratio:g} x {self.baseline}"
        return f"at most {self.most:g}"


BOUNDS: Final = (
    Bound("archive.rebuild", "decode_only", least_ratio=0.5),
    Bound("archive.rebuild_capture", "decode_only", least_ratio=0.5),
    Bound("archive.rebuild_mb", "a quarter of it", most_ratio=1.1),
    Bound("accountant.report", "read_only_flat", most_ratio=2),
    Bound("accountant.report_10m", "at_1m", most_ratio=1.1),
    Bound("accountant.report_10m_mb", "bound", most=MAX_REPORT_MB),
    Bound("accountant.help_s", "python", most=MAX_HELP_S),
    *(Bound(f"accountant.statement_{each}", "report", most=MAX_CPU_MS) for each in FORMATS),
    *(Bound(f"proxy.rps{suffix}", "litellm", least_ratio=60) for suffix in _SUFFIXES),
    *(Bound(f"proxy.rps{suffix}", "portkey", least_ratio=6) for suffix in _SUFFIXES),
    *(Bound(f"proxy.cpu_us{suffix}", "nginx", most_ratio=8) for suffix in _SUFFIXES),
    Bound("proxy.frames_per_s", "litellm", least_ratio=50),
    Bound("proxy.frames_per_s", "portkey", least_ratio=6),
    Bound("proxy.first_frame_ms", "direct", most=1),
    Bound("proxy.stream_kb", "bound", most=MAX_STREAM_KB),
    Bound("proxy.stream_stall_s", "bound", most=MAX_STALL_S),
    Bound("ledger.ingest", "naive", least_ratio=10),
    Bound("ledger.ingest", "decode_only", least_ratio=0.25),
    Bound("ledger.ingest_at_10m", "at_10k", least_ratio=0.9),
    Bound("ledger.bytes_per_id", "bound", most=MAX_BYTES_AN_ID),
    Bound("ledger.bytes_per_counter", "bound", most=MAX_BYTES_A_COUNTER),
    Bound("ledger.cpu_two_workers", "one_worker", most_ratio=1.15),
)


def judged(results: Sequence[Result]) -> list[tuple[Bound, Result]]:
    """Each bound on something that was measured, with the result that it is about."""
    return [
        (bound, result)
        for bound in BOUNDS
        for result in results
        if (bound.name, bound.baseline) == (result.name, result.baseline)
    ]


def verdicts(judgements: Sequence[tuple[Bound, Result]]) -> Table:
    """Whether each bound holds."""
    table = Table("bound", "", "measured", "", title="Bounds", title_justify="left")
    for bound, result in judgements:
        by_ratio = bound.most is None
        measured = f"{result.ratio:,.2f} x" if by_ratio else f"{result.value:,.2f} {result.unit}"
        verdict = "[green]holds" if bound.holds(result) else "[red]does not hold"
        table.add_row(bound.name, bound.said(), measured, verdict)
    return table

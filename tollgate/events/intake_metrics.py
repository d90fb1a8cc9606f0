"""What the intake counts: what came, what became of it, how far behind and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from tollgate.metrics import Counter, Histogram, Metrics
from tollgate.usage.event import ReceivedEvent

OUTCOMES: Final = ("applied", "completed", "duplicate", "conflict", "late", "dead_letter")
_LAGS_S: Final = (1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600)
_TIMES_S: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)


class IntakeMetrics:
    """The numbers of one process's intake.

    The lag of a batch is that of its oldest event: from the end of its request to the cells. What
    completes another event is as old as that one, so it says nothing of a lag.

    Args:
        metrics: Where they are shown.
        steady_s: A clock that never steps, in seconds.

    Attributes:
        last_lag_s: That of the last batch; None while there was none.
        last_applied: When that was.
    """

    def __init__(self, metrics: Metrics, steady_s: Callable[[], float] = time.perf_counter) -> None:
        self.steady_s = steady_s
        self.last_lag_s: float | None = None
        self.last_applied: datetime | None = None
        self._received = Counter(
            "tollgate_events_received_total", "Events delivered, repeated or not."
        )
        self._events = Counter("tollgate_events_total", "What became of them.", "outcome", OUTCOMES)
        self._failures = Counter(
            "tollgate_apply_failures_total", "Batches that are to be delivered again."
        )
        self._lag = Histogram(
            "tollgate_ingest_lag_seconds",
            "From the end of a batch's oldest request to its cells.",
            _LAGS_S,
        )
        self._apply = Histogram(
            "tollgate_apply_seconds", "How long the ledger takes for a batch.", _TIMES_S
        )
        metrics.add(self._received, self._events, self._failures, self._lag, self._apply)

    def received(self, count: int) -> None:
        """A batch came."""
        self._received.add(count)

    def failed(self) -> None:
        """The batch is to be delivered again."""
        self._failures.add()

    def ended(self, counts: Mapping[str, int]) -> None:
        """This became of a batch."""
        for outcome, count in counts.items():
            self._events.add(count, outcome)

    def applied(self, events: Sequence[ReceivedEvent], now: datetime, took_s: float) -> None:
        """The ledger has taken the events of a batch."""
        self._apply.observe(took_s)
        times = [each.event.time for each in events if not each.event.data.completes]
        if times:
            self.last_lag_s = max(0.0, (now - min(times)).total_seconds())
            self.last_applied = now
            self._lag.observe(self.last_lag_s)

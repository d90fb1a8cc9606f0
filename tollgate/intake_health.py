"""Whether the ledger keeps up, and whether its Redis is a safe place for it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

from redis.asyncio import Redis

from tollgate.errors import StoreUnavailable
from tollgate.events.dead_letters import Held, RedisDeadLetters
from tollgate.events.intake_metrics import IntakeMetrics
from tollgate.health import Finding, Health
from tollgate.ledger.memory import Memory, memory_of
from tollgate.ledger.safety import ledger_warnings
from tollgate.metrics import Gauge, Metrics

_LOOK_EVERY: Final = timedelta(seconds=15)  # `/health` is open to all, and must cost little
_ANSWER_S: Final = 3.0
_BEHIND_S: Final = 900.0
_LAG_HOLDS: Final = timedelta(minutes=10)  # what was late an hour ago says nothing of now


class IntakeHealth:
    """Looks at the ledger's Redis, seldom enough to be asked by anyone.

    Args:
        redis: The ledger's.
        dead_letters: Where refused events are.
        watched: What the intake counts.
    """

    def __init__(
        self, redis: Redis, dead_letters: RedisDeadLetters, watched: IntakeMetrics
    ) -> None:
        self._redis = redis
        self._dead_letters = dead_letters
        self._watched = watched
        self._looked: datetime | None = None
        self._findings: list[Finding] = []
        self._memory: Memory | None = None
        self._held: Held | None = None

    async def health(self, now: datetime) -> Health:
        """How the ledger is."""
        if self._looked is None or now - self._looked >= _LOOK_EVERY:
            self._looked = now
            await self._look()
        return Health(self._findings + self._lag_findings(now), self._facts(now))

    def show_in(self, metrics: Metrics) -> None:
        """Have what was last seen among these numbers."""
        metrics.add(
            Gauge(
                "tollgate_redis_used_bytes",
                "Memory that the ledger's Redis uses.",
                lambda: self._memory and self._memory.used_bytes,
            ),
            Gauge(
                "tollgate_redis_limit_bytes",
                "Memory that it has.",
                lambda: self._memory and self._memory.limit_bytes,
            ),
            Gauge(
                "tollgate_dead_letters",
                "Refused events that are kept.",
                lambda: self._held and self._held.letters,
            ),
            Gauge(
                "tollgate_dead_letters_not_kept",
                "Refused events that came when the store was full.",
                lambda: self._held and self._held.beyond,
            ),
        )

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(_ANSWER_S):
                warnings = await ledger_warnings(self._redis)
                self._memory = await memory_of(self._redis)
                self._held = await self._dead_letters.held()
        except (StoreUnavailable, TimeoutError):
            self._memory = self._held = None
            reason = "the ledger's Redis does not answer: events wait, and are delivered again"
            self._findings = [Finding("degraded", reason)]
            return
        found = [Finding("degraded", f"the ledger's Redis: {warning}") for warning in warnings]
        if self._held.full:
            reason = "the store of dead letters is full: what is refused now is not kept"
            found.append(Finding("degraded", reason))
        self._findings = found

    def _lag_s(self, now: datetime) -> float | None:
        applied = self._watched.last_applied
        return self._watched.last_lag_s if applied and now - applied < _LAG_HOLDS else None

    def _lag_findings(self, now: datetime) -> list[Finding]:
        lag_s = self._lag_s(now)
        if lag_s is None or lag_s <= _BEHIND_S:
            return []
        return [Finding("degraded", f"the ledger is {lag_s / 60:,.0f} minutes behind")]

    def _facts(self, now: datetime) -> dict[str, Any]:
        memory, held = self._memory, self._held
        return {
            "lag_s": self._lag_s(now),
            "memory_used_bytes": memory and memory.used_bytes,
            "memory_limit_bytes": memory and memory.limit_bytes,
            "dead_letters": held and held.letters,
            "dead_letters_not_kept": held and held.beyond,
        }

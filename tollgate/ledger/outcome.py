"""What became of an event, and the write side of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from tollgate.ledger.cells import MAX_BILLING_CODES, MAX_USERS_PER_DAY
from tollgate.usage.event import ReceivedEvent

# applied    counted in its cells
# completed  counted in place of the pending, estimated or unknown event with the same key
# duplicate  known already; nothing changed, or a completion that came first moved to its place
# conflict   its key is taken by another body; kept aside, the first stands
# late       its hour has cells, but the hour's ids are forgotten; kept aside
Outcome = Literal["applied", "completed", "duplicate", "conflict", "late"]


class LedgerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how much a ledger remembers.

    Args:
        memory_s: How long the ids of an hour are kept after the last write there, in seconds;
            never less than the retention of the hub that delivers the events.
        users_per_day: Users of a tenant and day with a cell of their own.
        billing_codes: Billing codes of a tenant with a cell of their own.
    """

    memory_s: float = 8 * 24 * 3600
    users_per_day: int = MAX_USERS_PER_DAY
    billing_codes: int = MAX_BILLING_CODES


class KeptAside(msgspec.Struct, frozen=True):
    """How many distinct events of a tenant were not counted, by reason."""

    conflicts: int
    late: int


class LedgerWriter(Protocol):
    """Counts each event once."""

    async def apply(self, events: Sequence[ReceivedEvent], *, now: datetime) -> list[Outcome]:
        """Count events in their cells; safe to repeat, whole or in part.

        Args:
            events: In any order, of any tenants and any age.
            now: The time of the call, for what the ledger may forget.

        Returns:
            One outcome per event, in the order of `events`.

        Raises:
            StoreUnavailable: Some events may not be counted. Repeat the call with all of them.
        """
        ...

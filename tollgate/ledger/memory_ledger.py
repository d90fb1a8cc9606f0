"""The ledger in memory: the twin of the one on Redis, for tests and for one process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from tollgate.ledger.booking import Booking, book
from tollgate.ledger.cell_sums import CellSum, cell_sums
from tollgate.ledger.cells import OVERFLOW, MoneyCell, Usage, UserCell
from tollgate.ledger.outcome import KeptAside, LedgerLimits, Outcome
from tollgate.ledger.rows import Names, Row, Tally, money_cells, user_cells
from tollgate.usage.event import ReceivedEvent
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku


class MemoryLedger:
    """Counts events in memory, each once, and reads them.

    Args:
        limits: How much the ledger remembers.
    """

    def __init__(self, limits: LedgerLimits | None = None) -> None:
        self._limits = limits or LedgerLimits()
        self._tenants: dict[str, _Tenant] = {}

    async def apply(self, events: Sequence[ReceivedEvent], *, now: datetime) -> list[Outcome]:
        """Count events in their cells; see `LedgerWriter.apply`."""
        return [self._apply(book(event), now.timestamp()) for event in events]

    def tenants(self) -> list[str]:
        """Every tenant that ever used anything, sorted."""
        return sorted(self._tenants)

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        """The month's cells, sorted by tenant, hour, billing code and SKU."""
        for name in self.tenants():
            for hour, rows in self._tenants[name].money.of(month):
                yield from money_cells(name, hour, rows)

    def user_cells(self, month: Month) -> Iterator[UserCell]:
        """The same usage by user, sorted by tenant, day, billing code, user and SKU."""
        for name in self.tenants():
            for day, rows in self._tenants[name].users.of(month):
                yield from user_cells(name, day, rows)

    def money_sums(self, tenant: str, month: Month, starts: Sequence[str]) -> Iterator[CellSum]:
        """A tenant's cells of the month added up; see `cell_sums`."""
        return cell_sums((x for x in self.money_cells(month) if x.tenant == tenant), starts)

    def user_sums(self, tenant: str, month: Month, starts: Sequence[str]) -> Iterator[CellSum]:
        """A tenant's cells of users of the month added up; see `cell_sums`."""
        return cell_sums((x for x in self.user_cells(month) if x.tenant == tenant), starts)

    def kept_aside(self, tenant: str) -> KeptAside:
        """How many distinct events of a tenant were not counted, by reason."""
        found = self._tenants.get(tenant)
        return KeptAside(len(found.conflicts), len(found.late)) if found else KeptAside(0, 0)

    def _apply(self, booking: Booking, now: float) -> Outcome:
        tenant = self._tenants.setdefault(booking.tenant, _Tenant(self._limits))
        outcome = tenant.apply(booking, now)
        if outcome == "conflict":
            tenant.conflicts[booking.key, booking.body] = booking.raw
        elif outcome == "late":
            tenant.late[booking.key, booking.body] = booking.raw
        return outcome


class _Place(NamedTuple):
    hour: str
    day: str
    code: str | None
    user: str | None


class _Pair(NamedTuple):
    """A pending event and its completion; open and ahead hold how to take them back."""

    state: Literal["open", "ahead", "done"]
    until: float
    place: _Place
    sku: Sku
    counts: dict[str, int]


class _Ids:
    """The ids of one hour: key and whether it completes, to body."""

    def __init__(self) -> None:
        self.until = 0.0
        self.bodies: dict[tuple[bytes, bool], bytes] = {}


class _Cells(defaultdict[str, dict[Row, Tally]]):
    """Period to rows."""

    def __init__(self) -> None:
        super().__init__(dict)

    def count(
        self, period: str, names: Names, usage: tuple[Sku, dict[str, int]], sign: int
    ) -> None:
        sku, counts = usage
        rows = self[period]
        tally = rows.setdefault((names, sku), Tally())
        tally.add(counts, sign)
        if not tally.requests:
            del rows[names, sku]

    def of(self, month: Month) -> Iterator[tuple[str, dict[Row, Usage]]]:
        for period in sorted(period for period in self if period.startswith(f"{month}-")):
            yield period, {row: tally.usage() for row, tally in self[period].items()}


class _Tenant:
    """Everything of one tenant; the same steps as apply.lua, in the same order."""

    def __init__(self, limits: LedgerLimits) -> None:
        self.limits = limits
        self.ids: defaultdict[str, _Ids] = defaultdict(_Ids)
        self.pairs: dict[bytes, _Pair] = {}
        self.codes: set[str] = set()
        self.names: defaultdict[str, set[str]] = defaultdict(set)
        self.money = _Cells()
        self.users = _Cells()
        self.conflicts: dict[tuple[bytes, bytes], bytes] = {}
        self.late: dict[tuple[bytes, bytes], bytes] = {}

    def apply(self, booking: Booking, now: float) -> Outcome:
        known = self.ids.get(booking.hour)
        if known and known.until <= now:
            return "late"
        body = known and known.bodies.get((booking.key, booking.completes))
        if body:
            return "duplicate" if body == booking.body else "conflict"
        if any(self._holds(hour, booking, now) for hour in booking.beside):
            return "conflict"
        outcome = (self._complete if booking.completes else self._take)(booking, now)
        if outcome != "conflict":
            self._remember(booking, now)
        return outcome

    def _take(self, booking: Booking, now: float) -> Outcome:
        pair = self._pair(booking.key, now)
        if pair and pair.state == "ahead" and booking.completable:
            self._book(pair.place, (pair.sku, pair.counts), -1)
            self._book(self._place(booking), (pair.sku, pair.counts))
            self._keep_pair(booking, "done", pair.place, now)
            return "duplicate"
        if pair:
            return "conflict"
        place = self._place(booking)
        self._book(place, (booking.sku, booking.counts))
        if booking.completable:
            self._keep_pair(booking, "open", place, now)
        return "applied"

    def _complete(self, booking: Booking, now: float) -> Outcome:
        pair = self._pair(booking.key, now)
        if pair and pair.state == "open":
            self._book(pair.place, (pair.sku, pair.counts), -1)
            self._book(pair.place, (booking.sku, booking.counts))
            self._keep_pair(booking, "done", pair.place, now)
            return "completed"
        if pair or self._taken(booking.key, now):
            return "conflict"
        place = self._place(booking)
        self._book(place, (booking.sku, booking.counts))
        self._keep_pair(booking, "ahead", place, now)
        return "applied"

    def _book(self, place: _Place, usage: tuple[Sku, dict[str, int]], sign: int = 1) -> None:
        self.money.count(place.hour, (place.code,), usage, sign)
        self.users.count(place.day, (place.code, place.user), usage, sign)

    def _place(self, booking: Booking) -> _Place:
        code = _within(self.codes, booking.billing_code, self.limits.billing_codes)
        user = _within(self.names[booking.day], booking.user, self.limits.users_per_day)
        return _Place(booking.hour, booking.day, code, user)

    def _pair(self, key: bytes, now: float) -> _Pair | None:
        pair = self.pairs.get(key)
        return pair if pair and pair.until > now else None

    def _keep_pair(
        self, booking: Booking, state: Literal["open", "ahead", "done"], place: _Place, now: float
    ) -> None:
        until = now + self.limits.memory_s
        self.pairs[booking.key] = _Pair(state, until, place, booking.sku, booking.counts)

    def _holds(self, hour: str, booking: Booking, now: float) -> bool:
        known = self.ids.get(hour)
        if known is None or known.until <= now:
            return False
        return (booking.key, booking.completes) in known.bodies

    def _taken(self, key: bytes, now: float) -> bool:
        """Whether an event that is no completion took the key, in any hour."""
        return any((key, False) in ids.bodies for ids in self.ids.values() if ids.until > now)

    def _remember(self, booking: Booking, now: float) -> None:
        ids = self.ids[booking.hour]
        ids.bodies[booking.key, booking.completes] = booking.body
        ids.until = max(ids.until, now + self.limits.memory_s)


def _within(known: set[str], name: str | None, limit: int) -> str | None:
    """The name itself, or the overflow that all names beyond the limit share."""
    if name is None or name in known:
        return name
    if len(known) >= limit:
        return OVERFLOW
    known.add(name)
    return name

"""What the ledger keeps aside, in words: it is in no figure, so whoever reads them is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from accountant.labels import shown
from tollgate.ledger.cell_sums import CellSum
from tollgate.ledger.cells import LedgerReader
from tollgate.ledger.outcome import KeptAside
from tollgate.usage.periods import Month


class Ledger(LedgerReader, Protocol):
    """The read side, with what it did not count."""

    def kept_aside(self, tenant: str) -> KeptAside:
        """How many distinct events of a tenant were not counted, by reason."""
        ...


@runtime_checkable
class SummedLedger(Ledger, Protocol):
    """The same, that also adds cells up."""

    def money_sums(self, tenant: str, month: Month, starts: Sequence[str]) -> Iterator[CellSum]:
        """A tenant's cells of the month added up; see `cell_sums`."""
        ...

    def user_sums(self, tenant: str, month: Month, starts: Sequence[str]) -> Iterator[CellSum]:
        """A tenant's cells of users of the month added up; see `cell_sums`."""
        ...


def kept_aside_lines(ledger: Ledger, tenants: Iterable[str]) -> Iterator[str]:
    """One line for every tenant of which events are kept aside, in any month.

    Args:
        ledger: Where they are kept.
        tenants: Who is reported.
    """
    for tenant in tenants:
        aside = ledger.kept_aside(tenant)
        counts = {"late": aside.late, "conflicting": aside.conflicts}
        told = " and ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
        events = "event is" if sum(counts.values()) == 1 else "events are"
        if told:
            yield f"{shown(tenant)}: {told} {events} kept aside and not in these figures"

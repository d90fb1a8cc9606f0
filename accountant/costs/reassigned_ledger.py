"""A ledger read as if usage had been booked for who pays for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from heapq import merge
from typing import TypeVar

import msgspec

from accountant.charges import Cell
from accountant.costs.reassignments import Reassignments, day_in
from accountant.kept_aside import Ledger
from tollgate.ledger.cells import MoneyCell, UserCell
from tollgate.ledger.outcome import KeptAside
from tollgate.usage.periods import Month

AnyCell = TypeVar("AnyCell", MoneyCell, UserCell)


class ReassignedLedger:
    """Cells of who pays, sorted by tenant and hour or day; memory follows what changes tenant.

    Args:
        ledger: The ledger as it is.
        rules: Who pays instead.
        more_tenants: Who owes something without any usage.
    """

    def __init__(
        self, ledger: Ledger, rules: Reassignments, more_tenants: Iterable[str] = ()
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._more = {*more_tenants, *rules.targets}

    def known_to_owe(self, tenants: Iterable[str]) -> ReassignedLedger:
        """The same, that also knows tenants who owe something without any usage."""
        return ReassignedLedger(self._ledger, self._rules, tenants)

    def tenants(self) -> list[str]:
        """Every tenant that ever used or may owe anything, sorted."""
        return sorted({*self._ledger.tenants(), *self._more})

    def kept_aside(self, tenant: str) -> KeptAside:
        """As the ledger says: what was not counted is moved by nobody."""
        return self._ledger.kept_aside(tenant)

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        """The month's cells, by tenant and hour."""
        return self._sorted(lambda: self._ledger.money_cells(month))

    def user_cells(self, month: Month) -> Iterator[UserCell]:
        """The same usage by user, by tenant and day."""
        return self._sorted(lambda: self._ledger.user_cells(month))

    def unsorted_money_cells(self, month: Month) -> Iterator[MoneyCell]:
        """The month's cells, as the ledger gives them, for whoever only adds them up."""
        return self._moved(self._ledger.money_cells(month))

    def _sorted(self, read: Callable[[], Iterator[AnyCell]]) -> Iterator[AnyCell]:
        if not self._rules.change_tenants:
            return self._moved(read())
        came = sorted(self._came(read()), key=_place)
        stayed = (new for cell in read() if (new := self._reassigned(cell)).tenant == cell.tenant)
        return merge(stayed, came, key=_place)

    def _moved(self, cells: Iterator[AnyCell]) -> Iterator[AnyCell]:
        return map(self._reassigned, cells) if self._rules.targets else cells

    def _came(self, cells: Iterable[AnyCell]) -> Iterator[AnyCell]:
        for cell in cells:
            new = self._reassigned(cell)
            if new.tenant != cell.tenant:
                yield new

    def _reassigned(self, cell: AnyCell) -> AnyCell:
        booked = (cell.tenant, cell.billing_code)
        tenant, code = self._rules.payer(booked, date.fromisoformat(day_in(cell)))
        if (tenant, code) == booked:
            return cell
        return msgspec.structs.replace(cell, tenant=tenant, billing_code=code)


def _place(cell: Cell) -> tuple[str, str]:
    return cell.tenant, cell.hour if isinstance(cell, MoneyCell) else cell.day

"""Cost centres by tenant and billing code, from a day to a day: a team that moves has two rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from accountant.costs.dated_rows import LastingRow, same_twice
from accountant.rate_cards.rate_rows import Text


class CostCentreRow(LastingRow):
    """One `[[cost_centre]]`; without a billing code it is for all that have no row of their own."""

    tenant: Text
    billing_code: Text | None = None
    cost_centre: Text


class CostCentres:
    """The cost centres of all tenants.

    Args:
        rows: In any order; `cost_centre_clashes` tells whether they contradict each other.

    Attributes:
        rows: As given.
    """

    def __init__(self, rows: Iterable[CostCentreRow] = ()) -> None:
        self.rows = tuple(rows)
        self._rows: dict[tuple[str, str | None], list[CostCentreRow]] = {}
        for row in self.rows:
            self._rows.setdefault((row.tenant, row.billing_code), []).append(row)

    def cost_centre(self, tenant: str, billing_code: str | None, day: date) -> str | None:
        """Who bears a tenant's billing code on a UTC day; None: no row says so.

        Args:
            tenant: Who owes it.
            billing_code: For what; None is unallocated, which only a row without a code is for.
            day: The first UTC day of the charge.
        """
        own = self._rows.get((tenant, billing_code), [])
        rest = self._rows.get((tenant, None), [])
        holding = (row.cost_centre for row in (*own, *rest) if row.holds_on(day))
        return next(holding, None)


def cost_centre_clashes(rows: Iterable[CostCentreRow]) -> list[str]:
    """Which rows give one billing code two cost centres on one day."""
    return [
        f"{b.place}: overlaps {a.place}: {b.tenant}/{b.billing_code or 'every other code'} has two"
        f" cost centres from {since}; a team that moves needs effective_to in the old row"
        for a, b, since in same_twice(((row.tenant, row.billing_code), row) for row in rows)
    ]

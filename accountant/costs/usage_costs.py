"""What each payer pays for usage: what shared costs are shared out by."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from accountant.charges import Cell
from accountant.costs.payers import UNALLOCATED, Payer
from accountant.money import EXACT, ZERO, total
from accountant.rate_cards.rate_card import RateCard
from accountant.rating import rate_cells


class UsageCosts:
    """Adds up what usage costs by payer, and who had a request at all.

    Args:
        card: The rates, in the currency of the books.
    """

    def __init__(self, card: RateCard) -> None:
        self._card = card
        self._sums: dict[str, dict[Payer, Decimal]] = {}
        self._users: set[str] = set()

    def add(self, cell: Cell, payer: Payer) -> None:
        """Count a cell at token prices; what no rate holds for costs nothing here."""
        if cell.usage.requests:
            self._users.add(payer[0])
        for line in rate_cells([cell], self._card):
            if (amount := line.rated.amount) is not None:
                self.add_amount(payer, amount)

    def add_amount(self, payer: Payer, amount: Decimal) -> None:
        """Count what a payer bears of provisioned throughput that it used."""
        own = self._sums.setdefault(payer[0], {})
        own[payer] = EXACT.add(own.get(payer, ZERO), amount)

    def tenants(self) -> list[str]:
        """Who had a request; the tenant of unknown callers only if there is nobody else."""
        return sorted(self._users - {UNALLOCATED}) or sorted(self._users)

    def by_tenant(self) -> dict[str, Fraction]:
        """What each tenant pays."""
        return {tenant: Fraction(total(own.values())) for tenant, own in self._sums.items()}

    def by_code(self, tenant: str) -> Mapping[Payer, Fraction]:
        """What each billing code of a tenant pays; a tenant that pays nothing is without codes."""
        own = {payer: Fraction(cost) for payer, cost in self._sums.get(tenant, {}).items()}
        return own if any(own.values()) else {(tenant, None): Fraction(1)}

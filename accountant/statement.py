"""Statements: each tenant's exact lines rounded once, and the grand total that they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from accountant.money import EXACT, rounded, total


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What one tenant owes for the month, in one currency.

    Args:
        tenant: Who owes it.
        exact: The exact sum of its priced lines.
        total: The same, rounded half-up once to the currency's smallest unit.
        unpriced: How many lines are not in the sum: no rate holds, or the usage is not known.
        unmetered: How many requests have no count: pending ones, and those that nobody knows of.
    """

    tenant: str
    exact: Decimal
    total: Decimal
    unpriced: int = 0
    unmetered: int = 0

    @property
    def rounding(self) -> Decimal:
        """The total less the exact lines."""
        return EXACT.subtract(self.total, self.exact)


def statement(
    tenant: str, amounts: Iterable[Decimal], currency: str, unpriced: int = 0
) -> Statement:
    """Draw up a tenant's statement from its exact amounts."""
    exact = total(amounts)
    return Statement(tenant=tenant, exact=exact, total=rounded(exact, currency), unpriced=unpriced)


def grand_total(statements: Iterable[Statement], currency: str) -> Decimal:
    """The sum of the statements, which is rounded because they are."""
    return rounded(total(each.total for each in statements), currency)

"""Who bears what of a shared cost: first the tenants, then the billing codes of each."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from accountant.costs.payers import UNALLOCATED, Payer
from accountant.costs.shared_rows import SharedRow
from accountant.costs.usage_costs import UsageCosts
from accountant.shares import ratios, split


class Bearing(msgspec.Struct, frozen=True):
    """What a payer bears: an amount in whole smallest units, and its exact share of the whole."""

    amount: Decimal
    share: Decimal


def bearings(
    row: SharedRow, whole: Decimal, costs: UsageCosts, currency: str
) -> dict[Payer, Bearing]:
    """Share a cost out, to the smallest unit; with nothing to share it by, `unallocated` bears it.

    Args:
        row: What it is and how it is shared out.
        whole: What it costs in the month, in whole smallest units of the books' currency.
        costs: What each payer pays for usage.
        currency: ISO 4217, that of the books.
    """
    weights = _weights(row, costs) or {UNALLOCATED: Fraction(1)}
    amounts: dict[Payer, Decimal] = {}
    exact: dict[Payer, Fraction] = {}
    for tenant, amount in split(whole, weights, currency).items():
        codes = costs.by_code(tenant)
        amounts |= split(amount, codes, currency)
        every = sum(codes.values(), Fraction())
        exact |= {payer: weights[tenant] * cost / every for payer, cost in codes.items()}
    shares = ratios(exact)
    return {payer: Bearing(amounts[payer], shares[payer]) for payer in amounts if exact[payer]}


def _weights(row: SharedRow, costs: UsageCosts) -> Mapping[str, Fraction]:
    if row.shares is not None:
        return {tenant: Fraction(percent) for tenant, percent in row.shares.items()}
    if row.method == "even":
        return dict.fromkeys(costs.tenants(), Fraction(1))
    paid = costs.by_tenant()
    return paid if any(paid.values()) else {}

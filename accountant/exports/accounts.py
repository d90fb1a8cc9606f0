"""The accounts of a journal: which one each kind of charge is posted to, and who bears it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from accountant.charges import Charge
from tollgate.ledger.cells import OVERFLOW

Kind = Literal["usage", "ptu", "idle", "shared", "credit", "adjustment"]
Lookup = Callable[[str, str | None, date], str | None]


class CostCentre(msgspec.Struct, frozen=True):
    """Where a billing code's charges are posted.

    Args:
        cost_centre: Its number or name.
        expense: The account of usage, and of other kinds that have none of their own.
        effective_from: The first UTC day; None is always.
        effective_to: The first UTC day without it; None is open.
    """

    cost_centre: str
    expense: str
    effective_from: date | None = None
    effective_to: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the UTC day is one of its days."""
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.effective_to is None or day < self.effective_to)


def _nobody(_tenant: str, _billing_code: str | None, _day: date) -> str | None:
    return None


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts of a journal.

    Args:
        expense: Debited for usage, unless a cost centre has its own.
        ptu: Debited for what was used of provisioned throughput; None is as usage.
        idle: For what of it nobody used; None is as usage.
        shared: For parts of shared costs; None is as usage.
        credit: Credited with credits; None is as usage.
        adjustment: Debited for adjustments; None is as usage.
        clearing: Credited with each statement.
        rounding: Debited with what statements are rounded up.
        unallocated: The cost centre of usage without a billing code, and of codes beyond the
            ledger's limit.
        cost_centres: By tenant and billing code; the code None is all others of that tenant.
        teams: Who bears a tenant's billing code on a day, if no cost centre above says so; None is
            not known, and the billing code is the cost centre.
    """

    expense: str = "EXPENSE"
    ptu: str | None = None
    idle: str | None = None
    shared: str | None = None
    credit: str | None = None
    adjustment: str | None = None
    clearing: str = "CLEARING"
    rounding: str = "ROUNDING"
    unallocated: str = "UNALLOCATED"
    cost_centres: Mapping[tuple[str, str | None], Sequence[CostCentre]] = {}
    teams: Lookup = _nobody

    def cost_centre(self, tenant: str, billing_code: str | None, day: date) -> CostCentre:
        """Where to post a tenant's billing code on a UTC day."""
        for key in ((tenant, billing_code), (tenant, None)):
            for each in self.cost_centres.get(key, ()):
                if each.holds_on(day):
                    return each
        overflow = billing_code == OVERFLOW
        name = self.unallocated if billing_code is None or overflow else billing_code
        return CostCentre(self.teams(tenant, billing_code, day) or name, self.expense)

    def account(self, kind: Kind, centre: CostCentre) -> str:
        """What is debited for a kind of charge."""
        own: Mapping[Kind, str | None] = {
            "ptu": self.ptu,
            "idle": self.idle,
            "shared": self.shared,
            "credit": self.credit,
            "adjustment": self.adjustment,
        }
        return own.get(kind) or centre.expense


def kind_of(charge: Charge) -> Kind:
    """What a charge is, as accounts are told apart by; a correction is what it corrects."""
    if charge.allocation:
        kinds: Mapping[str, Kind] = {"used": "ptu", "idle": "idle"}
        return kinds.get(charge.allocation.method, "shared")
    if charge.category == "Credit":
        return "credit"
    return "adjustment" if charge.category == "Adjustment" else "usage"

"""The month as a balanced journal for an ERP: what each cost centre owes, against clearing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from accountant.charges import Charge
from accountant.csv_text import plain_name
from accountant.money import EXACT, ZERO, rounded, total
from accountant.shares import shares
from tollgate.ledger.cells import OVERFLOW
from tollgate.usage.periods import Month


class CostCentre(msgspec.Struct, frozen=True):
    """Where a billing code's usage is posted."""

    cost_centre: str
    expense: str


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts of a journal.

    Args:
        expense: Debited for usage, unless a cost centre has its own.
        clearing: Credited with each statement.
        rounding: Debited with what statements are rounded up.
        unallocated: The cost centre of usage without a billing code, and of codes beyond the
            ledger's limit.
        cost_centres: By tenant and billing code; the code None is all others of that tenant.
            Without one, the billing code is the cost centre.
    """

    expense: str = "EXPENSE"
    clearing: str = "CLEARING"
    rounding: str = "ROUNDING"
    unallocated: str = "UNALLOCATED"
    cost_centres: Mapping[tuple[str, str | None], CostCentre] = {}

    def cost_centre(self, tenant: str, billing_code: str | None) -> CostCentre:
        """Where to post a tenant's billing code."""
        own = self.cost_centres.get((tenant, billing_code))
        rest = self.cost_centres.get((tenant, None))
        overflow = billing_code == OVERFLOW
        name = self.unallocated if billing_code is None or overflow else billing_code
        return own or rest or CostCentre(name, self.expense)


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a journal.

    Args:
        account: What is debited or credited.
        cost_centre: Who bears it; empty for clearing.
        tenant: Whose statement it is of.
        billing_code: What was used for; None is not one code's.
        amount: In whole smallest units of the currency; a debit is positive, a credit negative.
        text: What it is, in words.
    """

    account: str
    cost_centre: str
    tenant: str
    billing_code: str | None
    amount: Decimal
    text: str


def owed_by_code(charges: Iterable[Charge]) -> dict[str, dict[str | None, Decimal]]:
    """The exact amounts by tenant and billing code, without the rounding of statements."""
    owed: dict[str, dict[str | None, Decimal]] = defaultdict(dict)
    for each in charges:
        if each.category != "Rounding":
            codes = owed[each.tenant]
            before = codes.get(each.billing_code, ZERO)
            codes[each.billing_code] = EXACT.add(before, each.amount)
    return owed


def journal(
    period: Month,
    owed: Mapping[str, Mapping[str | None, Decimal]],
    currency: str,
    accounts: Accounts,
) -> list[Posting]:
    """Postings that add up to zero for each tenant, whose clearing is its statement's total.

    The codes share the exact sum, rounded down, by largest remainder; what the statement is rounded
    up is on a line of its own. Nothing is posted of what comes to zero.

    Args:
        period: The month.
        owed: The exact amounts by tenant and billing code.
        currency: ISO 4217.
        accounts: Where to post.
    """
    return [
        posting
        for tenant in sorted(owed)
        for posting in _statement(f"{period} {tenant}", tenant, owed[tenant], currency, accounts)
        if posting.amount
    ]


def _statement(
    about: str,
    tenant: str,
    exact: Mapping[str | None, Decimal],
    currency: str,
    accounts: Accounts,
) -> Iterator[Posting]:
    owed = rounded(total(exact.values()), currency)
    shared = shares(exact, currency)
    for code, amount in shared.items():
        centre = accounts.cost_centre(tenant, code)
        yield Posting(
            account=centre.expense,
            cost_centre=centre.cost_centre,
            tenant=tenant,
            billing_code=code,
            amount=amount,
            text=f"Usage {about} {_named(code)}",
        )
    rest = accounts.cost_centre(tenant, None).cost_centre
    up = EXACT.subtract(owed, total(shared.values()))
    for account, centre, amount, what in (
        (accounts.rounding, rest, up, "Rounding"),
        (accounts.clearing, "", EXACT.minus(owed), "Statement"),
    ):
        yield Posting(
            account=account,
            cost_centre=centre,
            tenant=tenant,
            billing_code=None,
            amount=amount,
            text=f"{what} {about}",
        )


def _named(code: str | None) -> str:
    return "unallocated" if code is None else plain_name(code)

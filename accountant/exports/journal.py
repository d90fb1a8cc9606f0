"""The month as a balanced journal for an ERP: what each cost centre owes, against clearing.

What corrects closed months is a batch of its own, so that it can be booked or refused by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from accountant.charges import Correction
from accountant.csv_text import plain_name
from accountant.exports.accounts import Accounts, Kind
from accountant.exports.bearers import Bearer, bearer_order
from accountant.exports.books import Books
from accountant.money import EXACT, rounded, total
from accountant.shares import shares

_WORDS: Final[Mapping[Kind, str]] = {
    "usage": "Usage",
    "ptu": "Provisioned throughput",
    "idle": "Idle throughput",
    "shared": "Shared cost",
    "credit": "Credit",
    "adjustment": "Adjustment",
}


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a journal.

    Args:
        batch: Which balanced batch it is of.
        reference: The number of the statement; None is a draft.
        account: What is debited or credited.
        cost_centre: Who bears it; empty for clearing.
        tenant: Whose statement it is of.
        billing_code: What was used for; None is not one code's.
        amount: In whole smallest units of the currency; a debit is positive, a credit negative.
        text: What it is, in words.
        correction: The line of a closed month that it corrects; None is the month's own.
    """

    batch: str
    reference: str | None
    account: str
    cost_centre: str
    tenant: str
    billing_code: str | None
    amount: Decimal
    text: str
    correction: Correction | None = None


def journal(
    owed: Mapping[str, Mapping[Bearer, Decimal]], books: Books, accounts: Accounts
) -> list[Posting]:
    """Postings that add up to zero for each batch and tenant, whose clearing is the statement.

    The bearers share the exact sum, rounded down, by largest remainder; what the statement is
    rounded up is on a line of its own. Nothing is posted of what comes to zero.

    Args:
        owed: The exact amounts by tenant and bearer.
        books: The month, its currency, and its statements' numbers.
        accounts: Where to post.

    Raises:
        NoStatementNumber: The month is closed, and a tenant has no statement in it.
    """
    postings = [
        posting
        for tenant in sorted(owed)
        for posting in _statement(tenant, owed[tenant], books, accounts)
        if posting.amount
    ]
    return sorted(postings, key=lambda posting: posting.batch)


def _statement(
    tenant: str, exact: Mapping[Bearer, Decimal], books: Books, accounts: Accounts
) -> Iterator[Posting]:
    bearers = {f"{n:012}": bearer for n, bearer in enumerate(sorted(exact, key=bearer_order))}
    shared = shares({name: exact[bearer] for name, bearer in bearers.items()}, books.currency)
    own = _Batch(tenant, books, late=False)
    late = _Batch(tenant, books, late=True)
    for name, bearer in bearers.items():
        (own if bearer.correction is None else late).bear(bearer, shared[name])
    owed = rounded(total(exact.values()), books.currency)
    centre = accounts.cost_centre(tenant, None, books.last_day).cost_centre
    up = EXACT.subtract(owed, total(shared.values()))
    own.post(accounts.rounding, centre, up, f"Rounding {own.about}")
    for batch, what in ((own, "Statement"), (late, "Corrections on the statement")):
        batch.post(accounts.clearing, "", EXACT.minus(batch.balance), f"{what} {batch.about}")
        yield from batch.postings


class _Batch:
    """A tenant's postings of one batch."""

    def __init__(self, tenant: str, books: Books, *, late: bool) -> None:
        self.about = f"{books.period} {tenant}"
        self.postings: list[Posting] = []
        self._tenant = tenant
        self._reference = books.statement_number(tenant)
        self._batch = f"{books.period} {books.currency}{' corrections' * late}"

    @property
    def balance(self) -> Decimal:
        return total(each.amount for each in self.postings)

    def bear(self, bearer: Bearer, amount: Decimal) -> None:
        self.post(bearer.account, bearer.cost_centre, amount, _text(bearer, self.about), of=bearer)

    def post(
        self, account: str, centre: str, amount: Decimal, text: str, *, of: Bearer | None = None
    ) -> None:
        self.postings.append(
            Posting(
                batch=self._batch,
                reference=self._reference,
                account=account,
                cost_centre=centre,
                tenant=self._tenant,
                billing_code=of.billing_code if of else None,
                amount=amount,
                text=text,
                correction=of.correction if of else None,
            )
        )


def _text(bearer: Bearer, about: str) -> str:
    code = "unallocated" if bearer.billing_code is None else plain_name(bearer.billing_code)
    what = " ".join([_WORDS[bearer.kind], *([bearer.cost] if bearer.cost else [])])
    late = bearer.correction
    if late is None:
        return f"{what} {about} {code}"
    where = f"line {late.line} of " if late.line else ""
    return f"{what} {about} {code}, corrects {where}{late.statement or late.month} ({late.reason})"

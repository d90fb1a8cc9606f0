"""The true-up: what the invoice has beyond the ledger, as an entry of its own.

No line of usage is edited. The entry is shared out to the cent, by what each tenant owes of a
meter, or stands on one line that is unallocated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Final, Literal

import msgspec

from accountant.exports.accounts import Accounts
from accountant.exports.books import Books
from accountant.exports.journal import Posting
from accountant.money import EXACT, ZERO, plain, rounded, total
from accountant.reconciliation.items import Item, item_order
from accountant.reconciliation.labels import item_words
from accountant.reconciliation.reconcile import Reconciliation
from accountant.shares import shares, split
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

Method = Literal["proportional", "unallocated"]

UNALLOCATED: Final = "unallocated"  # as the ledger calls the tenant of unknown callers
Owed = Mapping[tuple[Item, str], Decimal]


class TrueUpLine(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's part of one meter.

    Args:
        tenant: Who bears it.
        item: Of what; None is of all meters.
        amount: In whole smallest units of the currency; positive if the invoice has more.
    """

    tenant: str
    item: Item | None
    amount: Decimal


class TrueUp(msgspec.Struct, frozen=True, kw_only=True):
    """One entry.

    Args:
        id: The same for the same lines of the same month.
        period: The month.
        currency: ISO 4217.
        method: How it is shared out.
        provider: What the invoice has of the compared meters, exactly.
        ledger: What the ledger has of them, exactly.
        amount: The difference, rounded half-up; the lines add up to it.
        lines: By item and tenant; none comes to zero.
    """

    id: str
    period: Month
    currency: str
    method: Method
    provider: Decimal
    ledger: Decimal
    amount: Decimal
    lines: tuple[TrueUpLine, ...]


def true_up(period: Month, found: Reconciliation, owed: Owed, method: Method) -> TrueUp:
    """The entry that makes the ledger's month equal to the invoice.

    Args:
        period: The month.
        found: The reconciliation with the invoice.
        owed: The exact amounts by item and tenant.
        method: How to share it out.

    Raises:
        SettingsError: The provider may still add to some of its days, or usage has no rate.
    """
    _check(found)
    currency = found.currency or ""
    differences: dict[Item | None, Decimal] = {}
    for line in found.lines:
        before = differences.get(line.item, ZERO)
        differences[line.item] = EXACT.add(before, line.amount_difference or ZERO)
    if method == "unallocated":
        differences = {None: total(differences.values())}
    lines = tuple(_lines(_to_the_unit(differences, currency), owed, currency))
    return TrueUp(
        id=_id(period, currency, lines),
        period=period,
        currency=currency,
        method=method,
        provider=total(line.provider_amount or ZERO for line in found.lines),
        ledger=total(line.ledger_amount or ZERO for line in found.lines),
        amount=total(line.amount for line in lines),
        lines=lines,
    )


def _check(found: Reconciliation) -> None:
    problems: list[str] = []
    if len(found.settled) < len(found.lines):
        since = found.settled_until
        problems.append(f"--true-up is of a whole month; the provider may still add to {since}")
    if unpriced := sum(line.unpriced for line in found.lines):
        problems.append(f"--true-up: {unpriced:,} tokens have no rate; price them first (--rates)")
    if problems:
        raise SettingsError(problems)


def books_of(entry: TrueUp) -> Books:
    """The books that the entry is posted in."""
    return Books(period=entry.period, currency=entry.currency)


def postings_of(entry: TrueUp, accounts: Accounts) -> list[Posting]:
    """The entry as a balanced batch of a journal: each tenant's adjustment against clearing.

    Args:
        entry: The entry.
        accounts: Where to post.
    """
    postings: list[Posting] = []
    for line in entry.lines:
        centre = accounts.cost_centre(line.tenant, None, books_of(entry).last_day)
        text = text_of(entry, line)
        for account, cost_centre, amount in (
            (accounts.account("adjustment", centre), centre.cost_centre, line.amount),
            (accounts.clearing, "", EXACT.minus(line.amount)),
        ):
            postings.append(
                Posting(
                    batch=entry.id,
                    reference=None,
                    account=account,
                    cost_centre=cost_centre,
                    tenant=line.tenant,
                    billing_code=None,
                    amount=amount,
                    text=text,
                )
            )
    return postings


def text_of(entry: TrueUp, line: TrueUpLine) -> str:
    """What a line is, in words."""
    what = item_words(line.item) if line.item else "all meters"
    return f"True-up {entry.id} to the provider's invoice of {entry.period}: {what}"


def _to_the_unit(
    exact: Mapping[Item | None, Decimal], currency: str
) -> Iterator[tuple[Item | None, Decimal]]:
    """Whole units that add up to the sum, rounded half-up; the largest one bears that."""
    items = sorted(exact, key=lambda item: item_order(item) if item else ())
    names = {f"{place:09}": item for place, item in enumerate(items)}
    amounts = {name: exact[item] for name, item in names.items()}
    whole = total(amounts.values())
    if amounts:
        largest = max(amounts, key=lambda name: abs(amounts[name]))
        up = EXACT.subtract(rounded(whole, currency), whole)
        amounts[largest] = EXACT.add(amounts[largest], up)
    for name, amount in shares(amounts, currency).items():
        yield names[name], amount


def _lines(
    amounts: Iterable[tuple[Item | None, Decimal]], owed: Owed, currency: str
) -> Iterator[TrueUpLine]:
    """Each amount by what the tenants owe of its item; unallocated if nobody owes any."""
    for item, amount in amounts:
        weights = {
            tenant: Fraction(each) for (of, tenant), each in owed.items() if of == item and each > 0
        }
        parts = split(amount, weights, currency) or {UNALLOCATED: amount}
        for tenant, part in parts.items():
            if part:
                yield TrueUpLine(tenant=tenant, item=item, amount=part)


def _id(period: Month, currency: str, lines: tuple[TrueUpLine, ...]) -> str:
    """The month and a digest of the lines."""
    told = [
        (line.tenant, item_words(line.item) if line.item else None, plain(line.amount))
        for line in lines
    ]
    digest = sha256(msgspec.json.encode([str(period), currency, told])).hexdigest()
    return f"TU-{period}-{digest[:8]}"

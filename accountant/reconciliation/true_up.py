"""The true-up: what the invoice has beyond the ledger, as an entry of its own.

No line of usage is edited. The entry is shared out to the cent, by what each tenant owes of a
meter, or stands on one line that is unallocated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import ROUND_DOWN, Context, Decimal
from hashlib import sha256
from typing import Final, Literal

import msgspec

from accountant.exports.journal import Accounts, Posting
from accountant.money import EXACT, ZERO, plain, rounded, total
from accountant.reconciliation.items import Item, item_order
from accountant.reconciliation.labels import item_words
from accountant.reconciliation.reconcile import Reconciliation
from accountant.shares import shares
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

Method = Literal["proportional", "unallocated"]

UNALLOCATED: Final = "unallocated"  # as the ledger calls the tenant of unknown callers
_DIGITS: Final = Decimal("1E-30")
_WIDE: Final = Context(prec=100, rounding=ROUND_DOWN)
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
        lines: By tenant and item; none comes to zero.
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
    differences: defaultdict[Item, Decimal] = defaultdict(lambda: ZERO)
    for line in found.lines:
        differences[line.item] = EXACT.add(differences[line.item], line.amount_difference or ZERO)
    parts = _parts(differences, owed) if method == "proportional" else _one(differences)
    lines = _to_the_unit(parts, currency)
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


def postings_of(entry: TrueUp, accounts: Accounts) -> list[Posting]:
    """The entry as a journal: expense of each tenant against clearing.

    Args:
        entry: The entry.
        accounts: Where to post.
    """
    postings: list[Posting] = []
    for line in entry.lines:
        centre = accounts.cost_centre(line.tenant, None)
        text = text_of(entry, line)
        for account, cost_centre, amount in (
            (centre.expense, centre.cost_centre, line.amount),
            (accounts.clearing, "", EXACT.minus(line.amount)),
        ):
            postings.append(
                Posting(
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


_Parts = dict[tuple[str, Item | None], Decimal]


def _one(differences: Mapping[Item, Decimal]) -> _Parts:
    return {(UNALLOCATED, None): total(differences.values())}


def _parts(differences: Mapping[Item, Decimal], owed: Owed) -> _Parts:
    """Each item's difference by what the tenants owe of it; unallocated if nobody owes any."""
    parts: _Parts = {}
    for item, amount in differences.items():
        weights = {tenant: each for (of, tenant), each in owed.items() if of == item and each > 0}
        if amount and weights:
            parts |= {(name, item): each for name, each in _weighted(amount, weights).items()}
        elif amount:
            parts[UNALLOCATED, item] = amount
    return parts


def _weighted(amount: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Parts that add up to the amount exactly; what division loses is the last one's by name."""
    whole, left = total(weights.values()), amount
    parts: dict[str, Decimal] = {}
    *names, last = sorted(weights)
    for name in names:
        exact = _WIDE.divide(_WIDE.multiply(amount, weights[name]), whole)
        parts[name] = exact.quantize(_DIGITS, context=_WIDE)
        left = EXACT.subtract(left, parts[name])
    return {**parts, last: left}


def _to_the_unit(parts: _Parts, currency: str) -> tuple[TrueUpLine, ...]:
    """Whole units that add up to the sum, rounded half-up; the largest part bears its rounding."""
    if not parts:
        return ()
    ordered = sorted(parts, key=_order)
    exact = {f"{place:09}": parts[key] for place, key in enumerate(ordered)}
    largest = max(exact, key=lambda name: abs(exact[name]))
    whole = total(exact.values())
    exact[largest] = EXACT.add(exact[largest], EXACT.subtract(rounded(whole, currency), whole))
    return tuple(
        TrueUpLine(tenant=tenant, item=item, amount=amount)
        for (tenant, item), amount in zip(ordered, shares(exact, currency).values(), strict=True)
        if amount
    )


def _order(key: tuple[str, Item | None]) -> tuple[object, ...]:
    tenant, item = key
    return (tenant, item_order(item) if item else ())


def _id(period: Month, currency: str, lines: tuple[TrueUpLine, ...]) -> str:
    """The month and a digest of the lines."""
    told = [
        (line.tenant, item_words(line.item) if line.item else None, plain(line.amount))
        for line in lines
    ]
    digest = sha256(msgspec.json.encode([str(period), currency, told])).hexdigest()
    return f"TU-{period}-{digest[:8]}"

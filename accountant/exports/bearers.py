"""Who bears a month's charges: amounts that are posted as one line of a journal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from typing import Final

import msgspec

from accountant.charges import Charge, Correction
from accountant.exports.accounts import Accounts, CostCentre, Kind, kind_of
from accountant.lines import name_order
from accountant.money import EXACT, ZERO

_ORDER: Final[tuple[Kind, ...]] = ("usage", "ptu", "idle", "shared", "credit", "adjustment")
_WIDE: Final = Context(prec=EXACT.prec)
_FINE: Final = Decimal("1e-18")  # far below any currency's smallest unit


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """What amounts have in common that are posted as one line.

    Args:
        kind: What they are.
        cost: The shared cost that they are parts of; None is their own.
        account: What is debited.
        cost_centre: Who bears it.
        billing_code: What it is for; None is unallocated.
        correction: The line of a closed month that it corrects; None is the month's own.
    """

    kind: Kind
    cost: str | None
    account: str
    cost_centre: str
    billing_code: str | None
    correction: Correction | None


def bearer_order(bearer: Bearer) -> tuple[object, ...]:
    """The month's own first, by kind, shared cost, billing code and cost centre."""
    late = bearer.correction
    corrected = (late.month, late.statement or "", late.line or 0, late.reason) if late else ()
    what = (_ORDER.index(bearer.kind), bearer.cost or "", name_order(bearer.billing_code))
    return (late is not None, corrected, *what, bearer.cost_centre, bearer.account)


def owed_by_bearer(
    charges: Iterable[Charge], accounts: Accounts
) -> dict[str, dict[Bearer, Decimal]]:
    """The exact amounts by tenant and bearer, without the rounding of statements."""
    owed: dict[str, dict[Bearer, Decimal]] = defaultdict(dict)
    for each in charges:
        if each.category != "Rounding":
            bearers = owed[each.tenant]
            for bearer, amount in _borne(each, accounts):
                bearers[bearer] = EXACT.add(bearers.get(bearer, ZERO), amount)
    return owed


def _borne(charge: Charge, accounts: Accounts) -> Iterator[tuple[Bearer, Decimal]]:
    kind = kind_of(charge)
    for centre, amount in _spread(charge, accounts):
        bearer = Bearer(
            kind=kind,
            cost=charge.allocation.cost if charge.allocation else None,
            account=accounts.account(kind, centre),
            cost_centre=centre.cost_centre,
            billing_code=charge.billing_code,
            correction=charge.correction,
        )
        yield bearer, amount


def _spread(charge: Charge, accounts: Accounts) -> Iterator[tuple[CostCentre, Decimal]]:
    """An amount over the cost centres of its days, evenly; the last has what is left."""
    days = _days(charge)
    centres = Counter(accounts.cost_centre(charge.tenant, charge.billing_code, day) for day in days)
    left = charge.amount
    *first, last = centres
    for centre in first:
        exact = _WIDE.divide(_WIDE.multiply(charge.amount, Decimal(centres[centre])), len(days))
        part = exact.quantize(_FINE, ROUND_DOWN, _WIDE)
        left = EXACT.subtract(left, part)
        yield centre, part
    yield last, left


def _days(charge: Charge) -> list[date]:
    """The UTC days that it is for; at least the first."""
    return [charge.start + timedelta(n) for n in range(max((charge.end - charge.start).days, 1))]

"""What became of the amounts of a closed month that are no usage at a price: shared costs, credits.

One line bears the difference. A single late request moves everyone's share of a shared cost; taking
all of them back and billing them anew would bury a cent under two lines a tenant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

import msgspec

from accountant.charges import Charge
from accountant.money import EXACT, total

# Billing code, category, description, days, and what was shared out how.
SharedKey = tuple[str | None, str, str, date, date, str, str]


def described_correction(month: str, description: str) -> str:
    """What a correction says: the month, and what it corrects."""
    return f"{_said(month)}{description}"


def _said(month: str) -> str:
    return f"Correction of {month}: "


def shared_key(charge: Charge) -> SharedKey:
    """What makes an amount the same one now and then."""
    shared = charge.allocation
    said = charge.description
    if charge.correction:
        said = said.removeprefix(_said(charge.correction.month))
    cost, method = (shared.cost, shared.method) if shared else ("", "")
    days = (charge.start, charge.end)
    return (charge.billing_code, charge.category, said, *days, cost, method)


def shared_changes(billed: Iterable[Charge], now: Iterable[Charge]) -> Iterator[Charge]:
    """The differences, each told as the amount is now, or as it was billed if it is gone.

    Args:
        billed: By the closed month and by later statements; of one tenant.
        now: What it would be today.
    """
    sides = (_by_key(billed), _by_key(now))
    for key in sorted({*sides[0], *sides[1]}, key=_order):
        before, after = (side.get(key, []) for side in sides)
        owed = [_less(after, before, name) for name in ("amount", "effective")]
        if any(owed):
            yield msgspec.structs.replace(
                (after or before)[0],
                description=key[2],
                amount=owed[0],
                effective=owed[1],
                consumed=None,
                price=None,
                correction=None,
            )


def _by_key(charges: Iterable[Charge]) -> dict[SharedKey, list[Charge]]:
    found: dict[SharedKey, list[Charge]] = {}
    for each in charges:
        found.setdefault(shared_key(each), []).append(each)
    return found


def _less(after: list[Charge], before: list[Charge], name: str) -> Decimal:
    now, then = (total(getattr(each, name) for each in side) for side in (after, before))
    return EXACT.subtract(now, then)


def _order(key: SharedKey) -> tuple[object, ...]:
    return (key[0] is None, key[0] or "", *key[1:])

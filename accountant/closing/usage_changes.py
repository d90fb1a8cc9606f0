"""What became of one use of a closed month: what was billed of it, and what it is now. Pure.

A price that changed is taken back in full and billed anew, for a row of FOCUS, and a line, must
stay its quantity at its price. What was in no charge when the month was closed, and is priced now,
is billed for the price's sake; what the ledger counted since, or takes back, for the usage's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from accountant.charges import Price
from accountant.money import EXACT


class Part(msgspec.Struct, frozen=True):
    """A quantity at a price.

    Args:
        quantity: How much; of what is not counted, how many requests.
        requests: How many requests.
        price: None: it is in no charge.
    """

    quantity: int
    requests: int
    price: Price | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity to be billed, or taken back.

    Args:
        quantity: Not 0.
        requests: How many requests.
        price: None: it is in no charge, and was not known to be.
        replaces: The price of the line that it corrects; None: there was none.
        reason: Why it was not billed like this before.
    """

    quantity: int
    requests: int
    price: Price | None
    replaces: Price | None = None
    reason: Literal["usage", "price"] = "usage"


def unit_price(price: Price | None) -> Decimal | None:
    """What one unit costs, however the price is written."""
    return None if price is None else EXACT.divide(price.charged, Decimal(price.per))


def changes(billed: Sequence[Part], now: Part | None) -> Iterator[Change]:
    """What must be billed so that all that is billed is what is used now.

    Args:
        billed: What was billed or left out, in the closed month and then by later statements.
        now: What is used, at the price that holds; None is nothing.
    """
    sums = _by_price(billed)
    sums.pop(None, None)
    left_out = _left_out(billed)
    same = sums.pop(unit_price(now.price), None) if now and now.price else None
    others = [part for part in sums.values() if part.quantity]
    for part in others:
        reason = "price" if now else "usage"
        yield _of(Part(-part.quantity, -part.requests, part.price), part.price, reason)
    if now is None:
        return
    if now.price is None:
        if now.quantity > left_out.quantity:
            more = now.quantity - left_out.quantity
            yield _of(Part(more, max(now.requests - left_out.requests, 0), None), None, "usage")
        return
    yield from _at_its_price(now, same, others, left_out)


def _at_its_price(
    now: Part, same: Part | None, others: Sequence[Part], left_out: Part
) -> Iterator[Change]:
    """What is used now beyond what is billed at its price, by why it was not."""
    billed = same or Part(0, 0, now.price)
    repriced, repriced_requests = _added(others)
    quantity = now.quantity - billed.quantity
    requests = now.requests - billed.requests
    was_known = max(left_out.quantity - billed.quantity - repriced, 0)
    for_price = repriced + min(max(quantity - repriced, 0), was_known)
    for_usage = quantity - for_price
    counted = requests if not for_usage else repriced_requests
    if for_usage and was_known:
        counted = min(left_out.requests, requests)
    replaces = others[0].price if others else None
    if for_price:
        yield _of(Part(for_price, counted, billed.price), replaces, "price")
    if for_usage:
        rest = Part(for_usage, requests - (counted if for_price else 0), billed.price)
        yield _of(rest, same.price if same else replaces or now.price, "usage")


def _of(part: Part, replaces: Price | None, reason: Literal["usage", "price"]) -> Change:
    return Change(
        quantity=part.quantity,
        requests=part.requests,
        price=part.price,
        replaces=replaces,
        reason=reason,
    )


def _by_price(parts: Sequence[Part]) -> dict[Decimal | None, Part]:
    """Their sums, as the first of each price has it, by unit price: what is in no charge last."""
    sums: dict[Decimal | None, Part] = {}
    for part in parts:
        before = sums.get(unit_price(part.price), Part(0, 0, part.price))
        quantity, requests = _added([before, part])
        sums[unit_price(part.price)] = Part(quantity, requests, before.price)
    ordered = sorted(sums.items(), key=lambda item: (item[0] is None, item[0] or 0))
    return dict(ordered)


def _left_out(billed: Sequence[Part]) -> Part:
    """What was known to be in no charge at the last close; what was priced since is not."""
    known = Part(0, 0, None)
    for part in billed:
        if part.price is None:
            known = Part(*_added([known, part]), None)
        elif part.quantity > 0:
            known = Part(0, 0, None)
    return known


def _added(parts: Sequence[Part]) -> tuple[int, int]:
    return sum(part.quantity for part in parts), sum(part.requests for part in parts)

"""Rating: usage times rate, exactly. Pure and light: a budget can price as the bill does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

import msgspec

from accountant.money import amount_of
from accountant.rate_cards.price_rules import Adjustment, adjusted
from accountant.rate_cards.rate_card import Rate, RateCard
from tollgate.ledger.cells import Meter, MoneyCell, Usage, UserCell
from tollgate.usage.sku import Sku


class RatedMeter(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one meter and the rate that holds for it.

    Args:
        meter: The token leaf as priced, or a unit.
        quantity: How much, in `unit_of(meter)`.
        requests: How many requests had any of it.
        rate: The list price; None is unpriced.
        adjustments: Discounts and mark-ups on it, in the order in which they apply.
    """

    meter: str
    quantity: int
    requests: int
    rate: Rate | None
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def unit_price(self) -> Decimal | None:
        """What the rate's `per` units cost after discounts and mark-ups; None is unpriced."""
        return None if self.rate is None else adjusted(self.rate.unit_price, self.adjustments)

    @property
    def amount(self) -> Decimal | None:
        """What it costs, exactly and unrounded, in the rate's currency; None is unpriced."""
        price = self.unit_price
        if self.rate is None or price is None:
            return None
        return amount_of(self.quantity, price, self.rate.per)


class RatedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One meter of one cell, with who pays for it; `user` is None in money cells."""

    tenant: str
    billing_code: str | None
    user: str | None
    sku: Sku
    rated: RatedMeter


def rate_cells(cells: Iterable[MoneyCell | UserCell], card: RateCard) -> Iterator[RatedLine]:
    """Rate every meter of every cell, in the order of the cells."""
    for cell in cells:
        for rated in rate_usage(cell.sku, cell.usage, day_of_cell(cell), card, cell.tenant):
            yield RatedLine(
                tenant=cell.tenant,
                billing_code=cell.billing_code,
                user=cell.user if isinstance(cell, UserCell) else None,
                sku=cell.sku,
                rated=rated,
            )


def rate_usage(
    sku: Sku, usage: Usage, day: date, card: RateCard, tenant: str | None = None
) -> list[RatedMeter]:
    """Rate what one SKU used on one UTC day.

    Args:
        sku: What was consumed.
        usage: How much of it; meters without a quantity are left out.
        day: The UTC day, which chooses among dated rates.
        card: The rates.
        tenant: Who pays, for whom discounts and mark-ups may be; None has those of everyone.
    """
    return [
        RatedMeter(
            meter=meter,
            quantity=used.quantity,
            requests=used.requests,
            rate=card.rate_for(sku, meter, day),
            adjustments=card.rules.adjustments(tenant, sku, meter, day),
        )
        for meter, used in priced_meters(usage).items()
        if used.quantity
    ]


def priced_meters(usage: Usage) -> dict[str, Meter]:
    """The meters as they are priced: reasoning is output.

    A request with reasoning also counts as one of `output`, even if nothing else came out, so its
    requests are those of both. Cells without any are older, and reasoning is all that is known.
    """
    meters = dict(usage.meters)
    reasoning = meters.pop("reasoning_output", Meter(0, 0))
    output = meters.pop("output", Meter(0, 0))
    both = Meter(
        quantity=output.quantity + reasoning.quantity,
        requests=output.requests or reasoning.requests,
    )
    return {**meters, "output": both}


def day_of_cell(cell: MoneyCell | UserCell) -> date:
    """The UTC day of a cell; rates change at midnight, so an hour has one rate."""
    text = cell.hour[:10] if isinstance(cell, MoneyCell) else cell.day
    return date.fromisoformat(text)

"""A month's charges by UTC day and SKU, as exports give them: finer than a statement's lines.

They come a tenant at a time, so memory follows one tenant's day and not the month. Rates change
at UTC midnight, so a day's charge has one price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Literal

import msgspec

from accountant.lines import UNCOUNTED, meter_order, name_order
from accountant.money import EXACT, ZERO, amount_of
from accountant.rate_cards.rate_card import RateCard
from accountant.rating import RatedMeter, rate_cells, unit_of
from accountant.statement import statement
from tollgate.ledger.cells import MoneyCell
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

Category = Literal["Usage", "Purchase", "Credit", "Adjustment", "Rounding"]


class Consumption(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one meter a SKU used.

    Args:
        sku: What was consumed.
        meter: The token leaf as priced, or a unit.
        quantity: How much, in `unit`.
        requests: How many requests had any of it; not additive over meters.
    """

    sku: Sku
    meter: str
    quantity: int
    requests: int

    @property
    def unit(self) -> str:
        """What is counted, in the singular."""
        return unit_of(self.meter)


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What `per` units cost: by the public list, and as it is charged."""

    listed: Decimal
    charged: Decimal
    per: int


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """An amount that a tenant owes, positive or negative.

    Args:
        tenant: Who owes it.
        billing_code: For what; None is unallocated.
        start: The first UTC day it is for.
        end: The first UTC day it is no longer for.
        category: As FOCUS names it, where a statement's Rounding is an Adjustment.
        description: What it is, in words.
        amount: What is billed, exactly and unrounded.
        effective: The same, with what was paid before spread over its use.
        consumed: What was used or bought; None is an amount by itself: a credit or an adjustment.
        price: What the amount was made with; None is as above.
        corrects: It corrects a month that is closed.
    """

    tenant: str
    billing_code: str | None
    start: date
    end: date
    category: Category
    description: str
    amount: Decimal
    effective: Decimal
    consumed: Consumption | None = None
    price: Price | None = None
    corrects: bool = False


class Uncharged(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of one UTC day that is in no charge.

    Args:
        tenant: Whose it is.
        billing_code: For what; None is unallocated.
        start: The UTC day.
        sku: What was consumed.
        requests: How many requests.
        consumed: What no rate holds for; None is uncounted: what was used is not known.
    """

    tenant: str
    billing_code: str | None
    start: date
    sku: Sku
    requests: int
    consumed: Consumption | None


def month_charges(
    period: Month, cells: Iterable[MoneyCell], card: RateCard
) -> Iterator[Charge | Uncharged]:
    """Price a month by tenant and day; a tenant's last charge is its statement's rounding.

    Args:
        period: The month that the cells are of.
        cells: Sorted by tenant and hour, as the ledger gives them.
        card: The rates.

    Yields:
        Charges that add up to the report's total, and what is in none; in one stable order.
    """
    for tenant, cells_of_tenant in groupby(cells, lambda cell: cell.tenant):
        exact = ZERO
        for day, cells_of_day in groupby(cells_of_tenant, lambda cell: cell.hour[:10]):
            for each in _day(date.fromisoformat(day), cells_of_day, card):
                exact = EXACT.add(exact, each.amount) if isinstance(each, Charge) else exact
                yield each
        rounding = statement(tenant, [exact], card.currency).rounding
        if rounding:
            yield _rounding(period, tenant, rounding)


_Key = tuple[str | None, Sku, str | None]


class _Sum:
    """What one key adds up to; all that it sums has the same price, None for none."""

    def __init__(self, price: Price | None) -> None:
        self.price = price
        self.quantity = 0
        self.requests = 0

    def add(self, quantity: int, requests: int) -> None:
        self.quantity += quantity
        self.requests += requests


def _day(day: date, cells: Iterable[MoneyCell], card: RateCard) -> list[Charge | Uncharged]:
    """One tenant's day, in order of billing code, SKU and meter."""
    sums: dict[_Key, _Sum] = {}
    tenant = ""
    for cell in cells:
        tenant = cell.tenant
        for line in rate_cells([cell], card):
            rated, key = line.rated, (cell.billing_code, cell.sku, line.rated.meter)
            if key not in sums:
                sums[key] = _Sum(_price(rated))
            sums[key].add(rated.quantity, rated.requests)
        if cell.sku.provenance in UNCOUNTED and cell.usage.requests:
            key = (cell.billing_code, cell.sku, None)
            sums.setdefault(key, _Sum(None)).add(0, cell.usage.requests)
    return [_made(tenant, day, key, sums[key]) for key in sorted(sums, key=_order)]


def _order(key: _Key) -> tuple[object, ...]:
    code, sku, meter = key
    names = tuple(map(name_order, msgspec.structs.astuple(sku)))
    return (name_order(code), names, *meter_order(meter))


def _made(tenant: str, day: date, key: _Key, used: _Sum) -> Charge | Uncharged:
    code, sku, meter = key
    consumed = None
    if meter is not None:
        consumed = Consumption(sku=sku, meter=meter, quantity=used.quantity, requests=used.requests)
    if consumed is not None and used.price is not None:
        return _usage(tenant, code, day, consumed, used.price)
    return Uncharged(
        tenant=tenant,
        billing_code=code,
        start=day,
        sku=sku,
        requests=used.requests,
        consumed=consumed,
    )


def _usage(
    tenant: str, billing_code: str | None, day: date, consumed: Consumption, price: Price
) -> Charge:
    amount = amount_of(consumed.quantity, price.charged, price.per)
    return Charge(
        tenant=tenant,
        billing_code=billing_code,
        start=day,
        end=day + timedelta(days=1),
        category="Usage",
        description=described(consumed),
        amount=amount,
        effective=amount,
        consumed=consumed,
        price=price,
    )


def _price(rated: RatedMeter) -> Price | None:
    rate, charged = rated.rate, rated.unit_price
    if rate is None or charged is None:
        return None
    return Price(listed=rate.unit_price, charged=charged, per=rate.per)


def described(consumed: Consumption) -> str:
    """What was consumed, in words."""
    sku = consumed.sku
    where = " ".join(part for part in (sku.scope, sku.deployment_type) if part)
    what = consumed.meter.replace("_", " ") + (" tokens" if consumed.unit == "token" else "")
    told = f"{sku.model} {what}" + (f", {where}" if where else "")
    return told if sku.provenance == "measured" else f"{told}, {sku.provenance}"


def _rounding(period: Month, tenant: str, amount: Decimal) -> Charge:
    return Charge(
        tenant=tenant,
        billing_code=None,
        start=period.start.date(),
        end=period.end.date(),
        category="Rounding",
        description=f"Rounding of the statement of {period}",
        amount=amount,
        effective=amount,
    )

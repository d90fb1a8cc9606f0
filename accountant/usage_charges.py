"""A month's usage as charges, by tenant, UTC day, billing code, SKU and meter.

They come a tenant at a time, so memory follows one tenant's day and not the month. Rates change
at UTC midnight, so a day's charge has one price.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from types import MappingProxyType

import msgspec

from accountant.charges import Cell, Charge, Consumption, Price, Uncharged
from accountant.lines import UNCOUNTED, meter_order, name_order
from accountant.money import EXACT, ZERO, amount_of
from accountant.rate_cards.rate_card import RateCard
from accountant.rating import RatedMeter, rate_cells
from accountant.statement import statement
from tollgate.ledger.cells import MoneyCell, UserCell
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku


def counted(cells: Iterable[Cell], requests: Counter[tuple[str, str]]) -> Iterator[Cell]:
    """The cells as they come, while their requests are added by tenant and provenance."""
    for cell in cells:
        requests[cell.tenant, cell.sku.provenance] += cell.usage.requests
        yield cell


def month_charges(
    period: Month,
    cells: Iterable[Cell],
    card: RateCard,
    entries: Mapping[str, Sequence[Charge | Uncharged]] = MappingProxyType({}),
) -> Iterator[Charge | Uncharged]:
    """Price a month by tenant and day; a tenant's last charge is its statement's rounding.

    Args:
        period: The month that the cells are of.
        cells: Sorted by tenant and hour or day, as the ledger gives them; those of users have
            charges by user.
        card: The rates.
        entries: What each tenant owes beside its usage, and what of other months is in no charge;
            they stand behind it.

    Yields:
        Charges that add up to the report's total, and what is in none; in one stable order.
    """
    waiting = sorted(entries, reverse=True)
    for tenant, cells_of_tenant in groupby(cells, lambda cell: cell.tenant):
        while waiting and waiting[-1] < tenant:
            yield from _statement(period, (waiting[-1], (), entries[waiting.pop()]), card)
        more = entries[waiting.pop()] if waiting and waiting[-1] == tenant else ()
        yield from _statement(period, (tenant, cells_of_tenant, more), card)
    while waiting:
        yield from _statement(period, (waiting[-1], (), entries[waiting.pop()]), card)


def _statement(
    period: Month, owed: tuple[str, Iterable[Cell], Sequence[Charge | Uncharged]], card: RateCard
) -> Iterator[Charge | Uncharged]:
    """One tenant's usage by day, its entries, and what rounds them."""
    tenant, cells, entries = owed
    exact = ZERO
    for day, cells_of_day in groupby(cells, _day_of):
        for each in _day(date.fromisoformat(day), cells_of_day, card):
            exact = EXACT.add(exact, each.amount) if isinstance(each, Charge) else exact
            yield each
    yield from entries
    owed_exactly = [exact, *(each.amount for each in entries if isinstance(each, Charge))]
    rounding = statement(tenant, owed_exactly, card.currency).rounding
    if rounding:
        yield _rounding(period, tenant, rounding)


# Billing code, user, SKU and meter.
UsageKey = tuple[str | None, str | None, Sku, str | None]


class _Sum:
    """What one key adds up to; all that it sums has the same price, None for none."""

    def __init__(self, price: Price | None) -> None:
        self.price = price
        self.quantity = 0
        self.requests = 0

    def add(self, quantity: int, requests: int) -> None:
        self.quantity += quantity
        self.requests += requests


def _day_of(cell: Cell) -> str:
    return cell.hour[:10] if isinstance(cell, MoneyCell) else cell.day


def _day(day: date, cells: Iterable[Cell], card: RateCard) -> list[Charge | Uncharged]:
    """One tenant's day, in order of billing code, user, SKU and meter."""
    sums: dict[UsageKey, _Sum] = {}
    tenant = ""
    for cell in cells:
        tenant, user = cell.tenant, cell.user if isinstance(cell, UserCell) else None
        for line in rate_cells([cell], card):
            rated, key = line.rated, (cell.billing_code, user, cell.sku, line.rated.meter)
            if key not in sums:
                sums[key] = _Sum(_price(rated))
            sums[key].add(rated.quantity, rated.requests)
        if cell.sku.provenance in UNCOUNTED and cell.usage.requests:
            key = (cell.billing_code, user, cell.sku, None)
            sums.setdefault(key, _Sum(None)).add(0, cell.usage.requests)
    return [_made(tenant, day, key, sums[key]) for key in sorted(sums, key=usage_order)]


def usage_order(key: UsageKey) -> tuple[object, ...]:
    """What a day's usage is sorted by."""
    code, user, sku, meter = key
    names = tuple(map(name_order, msgspec.structs.astuple(sku)))
    return (name_order(code), name_order(user), names, *meter_order(meter))


def _made(tenant: str, day: date, key: UsageKey, used: _Sum) -> Charge | Uncharged:
    code, user, sku, meter = key
    consumed = None
    if meter is not None:
        consumed = Consumption(sku=sku, meter=meter, quantity=used.quantity, requests=used.requests)
    if consumed is not None and used.price is not None:
        made = _usage(tenant, code, day, consumed, used.price)
        return msgspec.structs.replace(made, user=user) if user is not None else made
    return Uncharged(
        tenant=tenant,
        billing_code=code,
        start=day,
        sku=sku,
        requests=used.requests,
        consumed=consumed,
        user=user,
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
    return Price(
        listed=rate.unit_price,
        charged=charged,
        per=rate.per,
        adjustments=rated.adjustments,
        exchange=rate.exchange,
    )


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

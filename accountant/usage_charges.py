"""A month's usage as charges, by tenant, span of days, billing code, SKU and meter.

They come a tenant at a time, so memory follows one tenant and not the month. Rates change at UTC
midnight, so a day's charge has one price; so has that of a longer span in which no rate changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from accountant.charges import Cell, Charge, Consumption, Price, Uncharged
from accountant.lines import UNCOUNTED, meter_order, name_order
from accountant.money import EXACT, ZERO, amount_of
from accountant.rate_cards.rate_card import RateCard
from accountant.rating import RatedMeter, rate_usage
from accountant.statement import statement
from tollgate.ledger.cell_sums import CellSum, cell_sums
from tollgate.ledger.cells import MoneyCell, UserCell
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

Used = TypeVar("Used", MoneyCell, UserCell, MoneyCell | UserCell, CellSum)


def counted(used: Iterable[Used], requests: Counter[tuple[str, str]]) -> Iterator[Used]:
    """Cells or their sums as they come, while their requests are added by tenant and provenance."""
    for each in used:
        requests[each.tenant, each.sku.provenance] += each.usage.requests
        yield each


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
    days = period.days()
    return charges_of_sums(Spans(period, days), cell_sums(cells, days), card, entries)


Days = tuple[date, date]  # the first day, and the first one after


class Spans:
    """The days of a month in spans that are charged for as one.

    Args:
        period: The month.
        starts: The first UTC day of each span, sorted, from the month's first.
    """

    def __init__(self, period: Month, starts: Sequence[str]) -> None:
        days = [date.fromisoformat(start) for start in starts]
        self.period: Final = period
        self.of: Final = dict(zip(starts, pairwise([*days, period.end.date()]), strict=True))


def charges_of_sums(
    spans: Spans,
    sums: Iterable[CellSum],
    card: RateCard,
    entries: Mapping[str, Sequence[Charge | Uncharged]] = MappingProxyType({}),
) -> Iterator[Charge | Uncharged]:
    """Price a month by tenant and span, as `month_charges` does by tenant and day.

    Args:
        spans: No price changes within one.
        sums: Of the spans, sorted by tenant and span.
        card: The rates.
        entries: As for `month_charges`.
    """
    waiting = sorted(entries, reverse=True)
    for tenant, of_tenant in groupby(sums, lambda each: each.tenant):
        while waiting and waiting[-1] < tenant:
            yield from _statement(spans, (waiting[-1], (), entries[waiting.pop()]), card)
        more = entries[waiting.pop()] if waiting and waiting[-1] == tenant else ()
        yield from _statement(spans, (tenant, of_tenant, more), card)
    while waiting:
        yield from _statement(spans, (waiting[-1], (), entries[waiting.pop()]), card)


def _statement(
    spans: Spans, owed: tuple[str, Iterable[CellSum], Sequence[Charge | Uncharged]], card: RateCard
) -> Iterator[Charge | Uncharged]:
    """One tenant's usage by span, its entries, and what rounds them."""
    tenant, sums, entries = owed
    exact = ZERO
    for start, of_span in groupby(sums, lambda each: each.start):
        for used in sorted(of_span, key=_order):
            for each in _charges(used, spans.of[start], card):
                exact = EXACT.add(exact, each.amount) if isinstance(each, Charge) else exact
                yield each
    yield from entries
    owed_exactly = [exact, *(each.amount for each in entries if isinstance(each, Charge))]
    rounding = statement(tenant, owed_exactly, card.currency).rounding
    if rounding:
        yield _rounding(spans.period, tenant, rounding)


# Billing code, user, SKU and meter.
UsageKey = tuple[str | None, str | None, Sku, str | None]


def usage_order(key: UsageKey) -> tuple[object, ...]:
    """What a span's usage is sorted by."""
    code, user, sku, meter = key
    names = tuple(map(name_order, msgspec.structs.astuple(sku)))
    return (name_order(code), name_order(user), names, *meter_order(meter))


def _order(used: CellSum) -> tuple[object, ...]:
    return usage_order((used.billing_code, used.user, used.sku, None))


def _charges(used: CellSum, days: Days, card: RateCard) -> Iterator[Charge | Uncharged]:
    """By meter, then what was not counted."""
    rated = rate_usage(used.sku, used.usage, days[0], card, used.tenant)
    for each in sorted(rated, key=lambda each: meter_order(each.meter)):
        consumed = Consumption(
            sku=used.sku, meter=each.meter, quantity=each.quantity, requests=each.requests
        )
        price = _price(each)
        yield _usage(used, days, consumed, price) if price else _uncharged(used, days, consumed)
    if used.sku.provenance in UNCOUNTED and used.usage.requests:
        yield _uncharged(used, days, None)


def _uncharged(used: CellSum, days: Days, consumed: Consumption | None) -> Uncharged:
    return Uncharged(
        tenant=used.tenant,
        billing_code=used.billing_code,
        start=days[0],
        sku=used.sku,
        requests=consumed.requests if consumed else used.usage.requests,
        consumed=consumed,
        user=used.user,
    )


def _usage(used: CellSum, days: Days, consumed: Consumption, price: Price) -> Charge:
    amount = amount_of(consumed.quantity, price.charged, price.per)
    return Charge(
        tenant=used.tenant,
        billing_code=used.billing_code,
        start=days[0],
        end=days[1],
        category="Usage",
        description=described(consumed),
        amount=amount,
        effective=amount,
        consumed=consumed,
        price=price,
        user=used.user,
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

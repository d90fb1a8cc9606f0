"""What payers owe for provisioned throughput, as charges with the tokens that it served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from msgspec.structs import replace

from accountant.charges import Allocation, Charge
from accountant.costs.exchange_rates import ExchangeRates
from accountant.costs.payers import Payer
from accountant.costs.provisioned_parts import Part, Parts, parts
from accountant.costs.provisioned_rows import ProvisionedRow
from accountant.costs.provisioned_use import ProvisionedUse, Used
from accountant.money import plain, rounded_part
from accountant.shares import ratios, split
from tollgate.usage.periods import Month


def provisioned_charges(
    rows: Sequence[ProvisionedRow], month: Month, use: ProvisionedUse, exchange: ExchangeRates
) -> Iterator[Charge]:
    """A charge for each payer's used part, and for each idle part.

    Rows of one name are one cost, which is rounded once to the smallest unit of the books'
    currency and then split exactly. Every hour of the month is paid for, whether it has come or
    not: the throughput is bought by contract.

    Args:
        rows: What is provisioned, in the order of `use`.
        month: The month.
        use: What was used of it.
        exchange: Into the currency of the books, by the day of the hour.
    """
    for name in sorted({row.name for row in rows}):
        numbers = [number for number, row in enumerate(rows) if row.name == name]
        days = [day for number in numbers for day in rows[number].days_in(month)]
        if days:
            made = [_parts(rows[number], month, (use, number), exchange) for number in numbers]
            used = _used([use.used[number] for number in numbers])
            for each in _charges(name, days, (_added(made, used), used), exchange.currency):
                yield _reserved(each, rows[numbers[0]].commitment)


def _reserved(charge: Charge, commitment: str | None) -> Charge:
    allocation = charge.allocation and replace(charge.allocation, commitment=commitment)
    return replace(charge, allocation=allocation)


def _parts(
    row: ProvisionedRow, month: Month, use: tuple[ProvisionedUse, int], exchange: ExchangeRates
) -> Parts:
    hourly, (found, number) = row.price_per_hour(month), use
    return parts(
        row,
        month,
        found.hours[number],
        lambda day: exchange.in_books(hourly, row.currency, day),
    )


def _added(made: Sequence[Parts], used: dict[Payer, Used]) -> Parts:
    """All parts; who used only what takes no capacity has one of 0, with tokens to show."""
    added: Parts = {("used", *payer): Fraction() for payer in used}
    for each in made:
        for part, amount in each.items():
            added[part] = added.get(part, Fraction()) + amount
    return added


def _used(by_row: Sequence[dict[Payer, Used]]) -> dict[Payer, Used]:
    """What each payer used of all rows; who only asked is left out."""
    added: dict[Payer, Used] = {}
    for rows in by_row:
        for payer, used in rows.items():
            if used.tokens:
                mine = added.setdefault(payer, Used(Counter()))
                mine.tokens.update(used.tokens)
                mine.requests += used.requests
    return added


def _charges(
    name: str, days: Sequence[date], found: tuple[Parts, dict[Payer, Used]], currency: str
) -> Iterator[Charge]:
    exact, used = found
    whole = rounded_part(sum(exact.values(), Fraction()), currency)
    amounts, shares = split(whole, exact, currency), ratios(exact)
    for part, amount in amounts.items():
        method, tenant, code = part
        mine = used.get((tenant, code)) if method == "used" else None
        yield Charge(
            tenant=tenant,
            billing_code=code,
            start=min(days),
            end=max(days) + timedelta(days=1),
            category="Usage",
            description=_described(name, mine),
            amount=amount,
            effective=amount,
            allocation=_allocation(name, part, (shares[part], whole), mine),
        )


def _allocation(
    name: str, part: Part, money: tuple[Decimal, Decimal], used: Used | None
) -> Allocation:
    share, whole = money
    return Allocation(
        cost=name,
        method="used" if part[0] == "used" else "idle",
        share=plain(share),
        whole=whole,
        tokens=used.by_meter() if used else (),
        requests=used.requests if used else 0,
    )


def _described(name: str, used: Used | None) -> str:
    if used is None:
        return f"Provisioned {name}, idle"
    told = [f"{count:,} {meter.replace('_', ' ')}" for meter, count in used.by_meter()]
    listed = " and ".join(part for part in (", ".join(told[:-1]), told[-1]) if part)
    return f"Provisioned {name}: {listed} tokens"

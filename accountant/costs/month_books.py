"""A month's books with its fixed costs: who pays for what usage, and what is owed beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date

import msgspec

from accountant.charges import Cell, Charge
from accountant.costs.cost_centres import CostCentres
from accountant.costs.cost_files import Costs
from accountant.costs.dated_rows import days_of
from accountant.costs.exchange_rates import ExchangeRates
from accountant.costs.owed_charges import once_charges, shared_charges
from accountant.costs.provisioned_charges import provisioned_charges
from accountant.costs.provisioned_use import ProvisionedUse
from accountant.costs.reassigned_ledger import ReassignedLedger
from accountant.costs.reassignments import Reassignments, day_in
from accountant.costs.usage_costs import UsageCosts
from accountant.kept_aside import Ledger
from accountant.lines import name_order
from accountant.rate_cards.rate_card import RateCard
from tollgate.usage.periods import Month


class MonthBooks(msgspec.Struct, frozen=True, kw_only=True):
    """What costs make of a month.

    Args:
        ledger: The ledger, read as if usage had been booked for who pays for it.
        card: The rates, in the currency of the books.
        entries: What each tenant owes beside its usage, in a stable order.
        by_token: A cell without the tokens that provisioned throughput served.
        cost_centres: Where it is posted.
        version: Of the costs, which statements name.
    """

    ledger: ReassignedLedger
    card: RateCard
    entries: dict[str, list[Charge]]
    by_token: Callable[[Cell], Cell]
    cost_centres: CostCentres
    version: str | None


def month_books(costs: Costs, month: Month, ledger: Ledger, card: RateCard) -> MonthBooks:
    """Read a month once to see who used what, and work out what it makes each owe.

    Only sums by payer are kept, and for provisioned throughput by payer and hour.

    Args:
        costs: What is owed beside tokens, and who pays.
        month: The month.
        ledger: Where its usage is.
        card: The rates, in their own currency.

    Raises:
        CostsError: An exchange rate is missing; with all pairs of currencies and days.
    """
    exchange = ExchangeRates(costs.exchange, costs.currency or card.currency)
    in_books = card if card.currency == exchange.currency else card.converted(exchange)
    moved = ReassignedLedger(ledger, Reassignments(costs.reassignments))
    use, paid = ProvisionedUse(costs.provisioned), UsageCosts(in_books)
    days: set[date] = set()
    if _wants_sums(costs, month, exchange, card):
        days = _read(
            moved,
            month,
            (use, paid),
            lambda day: bool(costs.shared) and exchange.knows(card.currency, day),
        )
    exchange.check([*_needed(costs, month), *((card.currency, day) for day in days)])
    owed = list(_owed(costs, month, (use, paid), exchange))
    entries: dict[str, list[Charge]] = {}
    for each in owed:
        entries.setdefault(each.tenant, []).append(each)
    return MonthBooks(
        ledger=moved.known_to_owe(entries),
        card=in_books,
        entries=entries,
        by_token=use.by_token,
        cost_centres=CostCentres(costs.cost_centres),
        version=costs.version,
    )


def _wants_sums(costs: Costs, month: Month, exchange: ExchangeRates, card: RateCard) -> bool:
    """Whether anything depends on what was used, or on which days."""
    every_day = all(exchange.knows(card.currency, day) for day in days_of(month))
    return bool(costs.provisioned or costs.shared) or not every_day


def _read(
    ledger: ReassignedLedger,
    month: Month,
    sums: tuple[ProvisionedUse, UsageCosts],
    priced_on: Callable[[date], bool],
) -> set[date]:
    """Add the month up; the UTC days on which anything was used."""
    use, paid = sums
    days: dict[str, bool] = {}
    for cell in ledger.unsorted_money_cells(month):
        day, payer = day_in(cell), (cell.tenant, cell.billing_code)
        if day not in days:
            days[day] = priced_on(date.fromisoformat(day))
        use.add(cell, payer)
        if days[day]:
            paid.add(use.by_token(cell), payer)
    return set(map(date.fromisoformat, days))


def _needed(costs: Costs, month: Month) -> Iterator[tuple[str, date]]:
    """The currencies and days of what is fixed."""
    for row in (*costs.provisioned, *costs.shared):
        yield from ((row.currency, day) for day in row.days_in(month))
    for row in (*costs.credits, *costs.charges):
        if row.is_in(month):
            yield row.currency, row.day


def _owed(
    costs: Costs, month: Month, sums: tuple[ProvisionedUse, UsageCosts], exchange: ExchangeRates
) -> Iterator[Charge]:
    """Provisioned throughput first: its used parts are paid for usage, too."""
    use, paid = sums
    provisioned = _sorted(provisioned_charges(costs.provisioned, month, use, exchange))
    for each in provisioned:
        if each.allocation and each.allocation.method == "used":
            paid.add_amount((each.tenant, each.billing_code), each.amount)
    yield from provisioned
    yield from _sorted(shared_charges(costs.shared, month, paid, exchange))
    yield from _sorted(once_charges(costs.charges, "Adjustment", month, exchange))
    yield from _sorted(once_charges(costs.credits, "Credit", month, exchange))


def _sorted(charges: Iterable[Charge]) -> list[Charge]:
    """In an order that no order of rows or cells changes."""

    def place(charge: Charge) -> tuple[object, ...]:
        allocation = charge.allocation
        told = (allocation.cost, allocation.method != "used") if allocation else ("", False)
        said = (charge.description, charge.start, charge.amount)
        return (charge.tenant, told, name_order(charge.billing_code), said)

    return sorted(charges, key=place)

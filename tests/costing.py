"""Builds what the tests of fixed costs speak of: rows as people write them, and months."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from accounting import OCTOBER, card, sku

from accountant.charges import Charge
from accountant.commands.charge_reader import ChargeReader
from accountant.costs.cost_centres import CostCentreRow
from accountant.costs.cost_files import Costs
from accountant.costs.exchange_rates import ExchangeRow
from accountant.costs.month_books import month_books
from accountant.costs.provisioned_rows import ProvisionedRow
from accountant.costs.reassignments import ReassignRow
from accountant.costs.shared_rows import OnceRow, SharedRow
from accountant.rate_cards.rate_card import RateCard
from tollgate.ledger.cells import MoneyCell, UserCell
from tollgate.ledger.outcome import KeptAside
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

_LASTING: Mapping[str, Any] = {"effective_from": date(2026, 10, 1), "source": "decision 4711"}


def _said(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says; a change to None takes a key away."""
    return {name: each for name, each in {**members, **changes}.items() if each is not None}


def ptu(**changes: Any) -> ProvisionedRow:
    """100 PTUs of `gpt-4o-ptu`, 1 USD an hour together on the 15th, for 6,000 tokens an hour."""
    members: dict[str, Any] = {
        **_LASTING,
        "effective_from": date(2026, 10, 15),
        "effective_to": date(2026, 10, 16),
        "name": "ptu-weu",
        "deployment": "gpt-4o-ptu",
        "ptus": 100,
        "price_per_ptu_hour": "0.01",
        "currency": "USD",
        "input_tokens_per_minute_per_ptu": 1,
    }
    return ProvisionedRow.model_validate(_said(members, changes))


def shared(monthly: str = "100.00", **changes: Any) -> SharedRow:
    """The gateway, shared by usage cost."""
    members: dict[str, Any] = {
        **_LASTING,
        "name": "gateway",
        "amount_per_month": monthly,
        "currency": "USD",
        "method": "proportional",
    }
    return SharedRow.model_validate(_said(members, changes))


def once(amount: str = "10.00", **changes: Any) -> OnceRow:
    """A credit or a charge of contoso on the 15th."""
    members: dict[str, Any] = {
        "name": "outage",
        "tenant": "contoso",
        "amount": amount,
        "currency": "USD",
        "day": date(2026, 10, 15),
        "source": "decision 4711",
    }
    return OnceRow.model_validate(_said(members, changes))


def reassign(**members: Any) -> ReassignRow:
    """A rule since the first of the month."""
    return ReassignRow.model_validate({**_LASTING, **members})


def cost_centre(name: str, **members: Any) -> CostCentreRow:
    """A cost centre of contoso since the first of the month."""
    given = {**_LASTING, "tenant": "contoso", "cost_centre": name, **members}
    return CostCentreRow.model_validate(given)


def fx(rate: str, source: str = "USD", to: str = "EUR", **members: Any) -> ExchangeRow:
    """A rate since the first of the month."""
    return ExchangeRow.model_validate(
        {**_LASTING, "from": source, "to": to, "rate": rate, **members}
    )


def provisioned(**changes: Any) -> Sku:
    """The SKU of usage that `ptu` serves."""
    return sku(deployment="gpt-4o-ptu", deployment_type="provisioned", **changes)


class Cells:
    """A ledger of these cells.

    Args:
        money: Those by hour, in any order.
        users: Those by day, in any order.
    """

    def __init__(self, money: Iterable[MoneyCell] = (), users: Iterable[UserCell] = ()) -> None:
        self._money = sorted(money, key=lambda cell: (cell.tenant, cell.hour))
        self._users = sorted(users, key=lambda cell: (cell.tenant, cell.day))

    def tenants(self) -> list[str]:
        """All of them."""
        return sorted({cell.tenant for cell in (*self._money, *self._users)})

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        """By tenant and hour."""
        return (cell for cell in self._money if cell.hour.startswith(str(month)))

    def user_cells(self, month: Month) -> Iterator[UserCell]:
        """By tenant and day."""
        return (cell for cell in self._users if cell.day.startswith(str(month)))

    def kept_aside(self, tenant: str) -> KeptAside:  # noqa: ARG002  the same for all
        """Nothing."""
        return KeptAside(0, 0)


def reader(
    costs: Costs,
    money: Iterable[MoneyCell] = (),
    users: Iterable[UserCell] = (),
    prices: RateCard | None = None,
    tenant: str | None = None,
) -> ChargeReader:
    """October's books of these cells and costs."""
    ledger, prices = Cells(money, users), prices or card()
    books = month_books(costs, OCTOBER, ledger, prices)
    return ChargeReader(OCTOBER, ledger, prices, tenant, books)


def amounts(found: ChargeReader) -> dict[tuple[str, str | None, str], Decimal]:
    """What is owed beside usage, by tenant, billing code and description."""
    return {
        (each.tenant, each.billing_code, each.description): each.amount
        for owed in found.entries.values()
        for each in owed
        if isinstance(each, Charge)
    }

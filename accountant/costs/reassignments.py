"""Who pays for usage that was booked for another: dated rules, which move it once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from accountant.charges import Cell
from accountant.costs.dated_rows import LastingRow, same_twice
from accountant.costs.payers import Payer, payer_in_words
from accountant.rate_cards.rate_rows import Text
from tollgate.ledger.cells import MoneyCell


class ReassignRow(LastingRow):
    """One `[[reassign]]`.

    Args:
        tenant: Whose usage moves, as the ledger booked it.
        billing_code: Only this code's; without it and `without_code`, all of the tenant's.
        without_code: Only what has no billing code.
        to_tenant: Who pays for it; None is the same tenant.
        to_billing_code: Under which code; None: the code that it has.
    """

    tenant: Text
    billing_code: Text | None = None
    without_code: Annotated[bool, Field(strict=True)] = False
    to_tenant: Text | None = None
    to_billing_code: Text | None = None

    @model_validator(mode="after")
    def _moves_something(self) -> Self:
        if self.billing_code is not None and self.without_code:
            raise ValueError("billing_code and without_code exclude each other; leave one out")
        if self.to_tenant is None and self.to_billing_code is None:
            raise ValueError("write to_tenant, to_billing_code, or both")
        if self.target((self.tenant, self.billing_code)) == (self.tenant, self.billing_code):
            raise ValueError("it moves usage to where it is")
        return self

    @property
    def narrow(self) -> bool:
        """Whether it is for one code, or for usage without one."""
        return self.without_code or self.billing_code is not None

    def target(self, payer: Payer) -> Payer:
        """Who pays instead."""
        tenant, code = payer
        return self.to_tenant or tenant, self.to_billing_code or code


class Reassignments:
    """Moves usage once: rules see who the ledger booked it for, never where a rule moved it to.

    So two teams can swap codes, and no rule depends on the order of others. A rule for a code, or
    for usage without one, goes before its tenant's.

    Args:
        rows: In any order; `reassign_clashes` tells whether they contradict each other.

    Attributes:
        targets: The tenants that usage may move to.
        change_tenants: Whether any rule moves usage to another tenant.
    """

    def __init__(self, rows: Iterable[ReassignRow] = ()) -> None:
        self._rows: dict[tuple[str, bool, str | None], list[ReassignRow]] = {}
        self.targets: set[str] = set()
        self.change_tenants = False
        for row in rows:
            self._rows.setdefault(_key(row), []).append(row)
            self.targets.add(row.to_tenant or row.tenant)
            self.change_tenants |= row.to_tenant not in {None, row.tenant}
        self._found: dict[tuple[Payer, date], Payer] = {}

    def payer(self, booked: Payer, day: date) -> Payer:
        """Who pays for usage of a UTC day that was booked for this payer."""
        key = (booked, day)
        if key not in self._found:
            tenant, code = booked
            rows = (*self._rows.get((tenant, True, code), ()), *self._rows.get(_all(tenant), ()))
            holding = next((row for row in rows if row.holds_on(day)), None)
            self._found[key] = holding.target(booked) if holding else booked
        return self._found[key]


def day_in(cell: Cell) -> str:
    """The UTC day of a cell, as text."""
    return cell.hour[:10] if isinstance(cell, MoneyCell) else cell.day


def reassign_clashes(rows: Iterable[ReassignRow]) -> list[str]:
    """Which rows move the same usage of one day to two payers."""
    return [
        f"{b.place}: overlaps {a.place}: both move usage of {_whose(b)} from {since};"
        " a new payer needs effective_to in the old row"
        for a, b, since in same_twice((_key(row), row) for row in rows)
    ]


def _key(row: ReassignRow) -> tuple[str, bool, str | None]:
    return row.tenant, row.narrow, row.billing_code


def _all(tenant: str) -> tuple[str, bool, str | None]:
    return tenant, False, None


def _whose(row: ReassignRow) -> str:
    return payer_in_words((row.tenant, row.billing_code)) if row.narrow else row.tenant

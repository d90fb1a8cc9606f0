"""The two sides of a reconciliation: what the ledger booked, and what the provider says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from accountant.money import EXACT, ZERO
from accountant.reconciliation.items import Day, Source

ApartKind = Literal[
    "other_currency",
    "other_service",
    "other_month",
    "tax",
    "credit",
    "purchase",
    "adjustment",
    "by_the_hour",
    "failed_requests",
    "no_deployment",
    "no_status",
    "refused_or_cached",
    "provisioned",
    "other_units",
    "other_charges",
]


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """What one side has that is not compared; it is shown, so that nothing is dropped.

    Args:
        kind: Why.
        what: What it is, in words.
        rows: How many rows or cells it sums.
        quantity: How much, in `unit`; None has no one unit.
        unit: What is counted, in the singular.
        amount: What it costs, exactly; None has no price.
        currency: ISO 4217 of the amount.
    """

    kind: ApartKind
    what: str
    rows: int
    quantity: Decimal | None = None
    unit: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


class Provided(msgspec.Struct, kw_only=True):
    """What the provider counted of one item on one day.

    Args:
        quantity: Tokens or requests.
        amount: What it costs; None: the source has no money.
        rounding: How far the quantity may be from what was metered, by the digits it is told in.
        amount_rounding: The same of the amount.
        blocked: Requests that were answered 400, among them prompts that a filter blocked.
        broken: Requests that were answered 408, 499 or 5xx.
    """

    quantity: int = 0
    amount: Decimal | None = None
    rounding: int = 0
    amount_rounding: Decimal = ZERO
    blocked: int = 0
    broken: int = 0

    def add(self, other: Provided) -> None:
        """Add what another row has of the same."""
        self.quantity += other.quantity
        self.rounding += other.rounding
        self.blocked += other.blocked
        self.broken += other.broken
        self.amount_rounding = EXACT.add(self.amount_rounding, other.amount_rounding)
        if other.amount is not None:
            self.amount = EXACT.add(self.amount or ZERO, other.amount)


class ProviderSide(msgspec.Struct, frozen=True, kw_only=True):
    """All that a source says of a month.

    Args:
        source: Which kind it is.
        of: The files or services it is from.
        counts: By day and item.
        apart: What is not compared.
        currency: Of its amounts; None has none.
        silent: Meters that it does not tell, so that they cannot be compared.
    """

    source: Source
    of: tuple[str, ...]
    counts: Mapping[Day, Provided]
    apart: tuple[Apart, ...] = ()
    currency: str | None = None
    silent: frozenset[str] = frozenset()


class Booked(msgspec.Struct, kw_only=True):
    """What the ledger booked of one item on one day.

    Args:
        quantity: Tokens or requests.
        requests: How many requests that is of.
        estimated: How much of the quantity is estimated: broken streams and blocked prompts.
        audio: How much of it are audio tokens.
        first_hour: How much of it was booked in the day's first hour.
        last_hour: The same of its last hour.
        amount: What it costs; None where no money is compared.
        unpriced: How much of the quantity has no rate, and so no amount.
    """

    quantity: int = 0
    requests: int = 0
    estimated: int = 0
    audio: int = 0
    first_hour: int = 0
    last_hour: int = 0
    amount: Decimal | None = None
    unpriced: int = 0


class LedgerSide(msgspec.Struct, frozen=True, kw_only=True):
    """All that the ledger has of a month, told as a source tells it.

    Args:
        counts: By day and item.
        uncounted: Requests whose usage is not known, by day and place.
        estimated: Requests whose usage is estimated, by day and place.
        apart: What is not compared.
    """

    counts: Mapping[Day, Booked]
    uncounted: Mapping[Day, int]
    estimated: Mapping[Day, int]
    apart: tuple[Apart, ...] = ()

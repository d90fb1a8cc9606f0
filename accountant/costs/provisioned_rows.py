"""Provisioned throughput as it is bought: how many units, at which price, for which deployment."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from accountant.costs.dated_rows import LastingRow, both_hold
from accountant.rate_cards.rate_rows import Currency, Price, Text
from tollgate.usage.event import Scope
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

HOURS_A_DAY: Final = 24
_MINUTES_AN_HOUR: Final = 60
# What a row may ask of usage; None matches anything.
_MATCH: Final = ("deployment", "backend", "region", "model", "scope")

Count = Annotated[int, Field(strict=True, gt=0, le=10**9)]


class ProvisionedRow(LastingRow):
    """One `[[ptu]]`.

    Args:
        name: What statements call it; rows of one name are one cost.
        deployment: Whose usage it serves, with `backend`, `region`, `model` and `scope` if set.
        ptus: How many units are deployed.
        price_per_ptu_hour: What one of them costs an hour.
        price_per_month: What all of them cost a month, reserved.
        reservation: The id of the reservation that `price_per_month` is of; None is the name.
        input_tokens_per_minute_per_ptu: What one of them can do; None: an hour in which anybody
            used it has no idle part.
        output_weight: How many input tokens an output token counts as; None is 1.
        idle: Who bears what nobody used: everybody who used it, by use; an owner; None is the
            tenant `unallocated`.
    """

    name: Text
    deployment: Text
    backend: Text | None = None
    region: Text | None = None
    model: Text | None = None
    scope: Scope | None = None
    ptus: Count
    price_per_ptu_hour: Price | None = None
    price_per_month: Price | None = None
    reservation: Text | None = None
    currency: Currency
    input_tokens_per_minute_per_ptu: Count | None = None
    output_weight: Price | None = None
    idle: Literal["spread", "owner"] | None = None
    idle_tenant: Text | None = None
    idle_billing_code: Text | None = None

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        prices = (self.price_per_ptu_hour, self.price_per_month)
        if sum(price is not None for price in prices) != 1:
            raise ValueError("write price_per_ptu_hour or price_per_month, and not both")
        if self.reservation is not None and self.price_per_month is None:
            raise ValueError("a reservation is paid by the month; write price_per_month")
        if Decimal(0) in prices:
            raise ValueError("a price is more than 0: what costs nothing needs no row")
        return self

    @model_validator(mode="after")
    def _says_who_owns_idle(self) -> Self:
        if (self.idle == "owner") != (self.idle_tenant is not None):
            raise ValueError('idle = "owner" needs idle_tenant, and nothing else has it')
        if self.idle_billing_code is not None and self.idle_tenant is None:
            raise ValueError("idle_billing_code needs idle_tenant")
        return self

    @property
    def commitment(self) -> str | None:
        """The reservation that covers it; None: it is paid by the hour."""
        return None if self.price_per_month is None else self.reservation or self.name

    def serves(self, sku: Sku) -> bool:
        """Whether it is what usage of this SKU was served by."""
        asked = ((getattr(self, field), getattr(sku, field)) for field in _MATCH)
        return sku.deployment_type == "provisioned" and all(
            wanted in {None, value} for wanted, value in asked
        )

    def price_per_hour(self, month: Month) -> Fraction:
        """What all of it costs an hour of a month, in its currency."""
        if self.price_per_ptu_hour is not None:
            return Fraction(self.price_per_ptu_hour) * self.ptus
        return Fraction(self.price_per_month or 0) / (len(month.days()) * HOURS_A_DAY)

    def capacity_per_hour(self) -> int:
        """How many input tokens it can process in an hour; 0 is not known."""
        return (self.input_tokens_per_minute_per_ptu or 0) * self.ptus * _MINUTES_AN_HOUR

    def weight_of_output(self) -> Fraction:
        """How many input tokens an output token counts as."""
        return Fraction(1 if self.output_weight is None else self.output_weight)


def provisioned_clashes(rows: Iterable[ProvisionedRow]) -> list[str]:
    """Which rows can serve the same usage on one day, or are one cost that is paid in two ways."""
    pairs = list(combinations(rows, 2))
    two_ways = [
        f"{b.place}: is paid for otherwise than {a.place}: {b.name!r} is one cost, by the hour or"
        " of one reservation; give one of them another name"
        for a, b in pairs
        if a.name == b.name and a.commitment != b.commitment
    ]
    return two_ways + [
        f"{b.place}: overlaps {a.place}: both serve {b.deployment} from {since}; a new number of"
        " PTUs needs effective_to in the old row, another deployment backend or region in both"
        for a, b in pairs
        if _meet(a, b) and (since := both_hold(a, b))
    ]


def _meet(a: ProvisionedRow, b: ProvisionedRow) -> bool:
    pairs = ((getattr(a, field), getattr(b, field)) for field in _MATCH)
    return all(None in pair or pair[0] == pair[1] for pair in pairs)

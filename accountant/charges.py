"""Charges: what a payer owes, finer than a statement's lines. All documents are made of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from accountant.meters import unit_of
from accountant.rate_cards.price_rules import Adjustment
from accountant.rate_cards.rate_card import Exchange
from tollgate.ledger.cells import MoneyCell, UserCell
from tollgate.usage.sku import Sku

Category = Literal["Usage", "Purchase", "Credit", "Adjustment", "Rounding"]
SplitMethod = Literal["used", "idle", "proportional", "even", "fixed"]
Cell = MoneyCell | UserCell


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
    """What `per` units cost.

    Args:
        listed: By the public list.
        charged: As it is charged.
        per: A power of ten.
        adjustments: What made the one of the other, in that order.
        exchange: What the list price was before it was converted to the currency of the books;
            None: it was not.
    """

    listed: Decimal
    charged: Decimal
    per: int
    adjustments: tuple[Adjustment, ...] = ()
    exchange: Exchange | None = None


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """How a payer came to bear a part of an amount that was metered for nobody.

    Args:
        cost: What was shared out, as its file calls it.
        commitment: The id of the reservation that covers it; None: none does.
        method: `used`: by what each used of provisioned throughput, hour by hour; `idle`: what of
            it nobody used; `proportional`: by what each pays for tokens; `even`: to each tenant
            the same; `fixed`: by stated parts.
        share: The payer's part of the whole, before that was rounded to the smallest unit: a
            decimal number of at most 12 places. The shares of one cost add up to exactly 1.
        whole: The whole amount, in the currency of the books.
        tokens: What the payer used of provisioned throughput, by meter; empty for all else.
        requests: How many requests used it.
    """

    cost: str
    commitment: str | None = None
    method: SplitMethod
    share: str
    whole: Decimal
    tokens: tuple[tuple[str, int], ...] = ()
    requests: int = 0

    @property
    def part(self) -> Fraction:
        """The share as a number."""
        return Fraction(self.share)


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """Which line of a closed month an amount corrects.

    Args:
        month: The closed month.
        statement: The number of its statement; None: the tenant had none.
        line: The number of the line there; None: the line is new.
        reason: `usage`: it was counted after the close; `price`: a rate changed; `cost`: a fixed
            or shared cost changed.
    """

    month: str
    statement: str | None
    line: int | None
    reason: Literal["usage", "price", "cost"]


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
        user: Who used it; None is not known, or not asked for.
        allocation: It is a part of an amount that was shared out.
        correction: It corrects a month that is closed.
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
    user: str | None = None
    allocation: Allocation | None = None
    correction: Correction | None = None

    @property
    def metered(self) -> tuple[Consumption, Price] | None:
        """What it is of and at which price, if it is usage of its own month; else None."""
        if self.allocation or self.correction or not (self.consumed and self.price):
            return None
        return self.consumed, self.price


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
    user: str | None = None

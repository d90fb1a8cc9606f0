"""Shared platform costs, credits and charges, as finance writes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal, Self

from pydantic import model_validator

from accountant.costs.dated_rows import LastingRow, PlacedRow, days_of, same_twice
from accountant.costs.payers import payer_in_words
from accountant.money import EXACT, rounded_part, total
from accountant.rate_cards.rate_rows import Currency, Day, Percent, Price, Text
from tollgate.usage.periods import Month


class SharedRow(LastingRow):
    """One `[[shared]]`.

    Args:
        name: What statements call it.
        amount: What it costs from `effective_from` until `effective_to`, by the day.
        amount_per_month: What it costs in a whole month; of a part of one, by the day.
        method: How it is shared out, as `accountant.charges.Allocation` explains it.
        shares: Per cent by tenant, of method `fixed`.
    """

    name: Text
    amount: Price | None = None
    amount_per_month: Price | None = None
    currency: Currency
    method: Literal["proportional", "even", "fixed"]
    shares: dict[Text, Percent] | None = None

    @model_validator(mode="after")
    def _has_one_amount(self) -> Self:
        if (self.amount is None) == (self.amount_per_month is None):
            raise ValueError("write amount or amount_per_month, and not both")
        if self.amount is not None and self.effective_to is None:
            raise ValueError("amount is for all days, so effective_to must be there")
        return self

    @model_validator(mode="after")
    def _shares_all_of_it(self) -> Self:
        if (self.method == "fixed") != (self.shares is not None):
            raise ValueError('method = "fixed" needs shares, and nothing else has them')
        parts = total((self.shares or {}).values())
        if self.shares is not None and parts != 100:  # noqa: PLR2004  per cent
            raise ValueError(f"the shares add up to {parts}, not to 100")
        return self

    def amount_in(self, month: Month) -> Fraction:
        """What it costs in a month, in its currency.

        `amount` is cut between months in whole smallest units, so that they add up to it.
        """
        held = self.days_in(month)
        if self.amount is None:
            return Fraction(self.amount_per_month or 0) * len(held) / len(month.days())
        if not held:
            return Fraction()
        until = self._until(held[-1] + timedelta(days=1))
        return Fraction(EXACT.subtract(until, self._until(held[0])))

    def _until(self, day: date) -> Decimal:
        """What it costs before a day."""
        last = self.effective_to or day
        part = Fraction((day - self.effective_from).days, (last - self.effective_from).days)
        return rounded_part(Fraction(self.amount or 0) * part, self.currency)


class OnceRow(PlacedRow):
    """One `[[credit]]`, which takes the amount off what is owed, or `[[charge]]`, which adds it."""

    name: Text
    tenant: Text
    billing_code: Text | None = None
    amount: Price
    currency: Currency
    day: Day
    source: Text

    def is_in(self, month: Month) -> bool:
        """Whether it is of one of the month's UTC days."""
        return self.day in days_of(month)


def shared_clashes(rows: Iterable[SharedRow]) -> list[str]:
    """Which rows charge one cost twice on one day."""
    return [
        f"{b.place}: overlaps {a.place}: {b.name!r} is shared out twice from {since};"
        " a new amount needs effective_to in the old row"
        for a, b, since in same_twice((row.name, row) for row in rows)
    ]


def written_twice(rows: Iterable[OnceRow]) -> list[str]:
    """Which rows of a kind say the same of one payer and day."""
    seen: dict[tuple[str, str, str | None, date], OnceRow] = {}
    problems: list[str] = []
    for row in rows:
        first = seen.setdefault((row.name, row.tenant, row.billing_code, row.day), row)
        if first is not row:
            whose = payer_in_words((row.tenant, row.billing_code))
            problems.append(
                f"{row.place}: repeats {first.place}: {row.name!r} of {whose} on {row.day};"
                " give a second one another name"
            )
    return problems

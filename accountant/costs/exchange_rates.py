"""Exchange rates: one currency in another, from a day to a day, each with its source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec
from pydantic import Field, field_validator

from accountant.costs.dated_rows import LastingRow, in_words, same_twice
from accountant.errors import CostsError
from accountant.money import EXACT
from accountant.rate_cards.rate_card import Exchange, Rate
from accountant.rate_cards.rate_rows import Currency, Price


class ExchangeRow(LastingRow):
    """One `[[fx]]`: what one unit of `from` is in `to`."""

    from_currency: Currency = Field(alias="from")
    to_currency: Currency = Field(alias="to")
    rate: Price

    @field_validator("rate")
    @classmethod
    def _is_worth_something(cls, value: Decimal) -> Decimal:
        if not value:
            raise ValueError("an exchange rate is more than 0")
        return value


class ExchangeRates:
    """Into the currency of the books; what a row does not say is never guessed, nor turned around.

    Args:
        rows: In any order; `exchange_clashes` tells whether they contradict each other.
        currency: ISO 4217, that of the books.
    """

    def __init__(self, rows: Iterable[ExchangeRow], currency: str) -> None:
        self.currency: Final = currency
        self._rows: dict[str, list[ExchangeRow]] = defaultdict(list)
        for row in rows:
            if row.to_currency == currency:
                self._rows[row.from_currency].append(row)
        self._found: dict[tuple[str, date], ExchangeRow | None] = {}

    def knows(self, currency: str, day: date) -> bool:
        """Whether an amount of a UTC day can be converted."""
        return currency == self.currency or self._row(currency, day) is not None

    def check(self, needed: Iterable[tuple[str, date]]) -> None:
        """Tell all that is missing.

        Args:
            needed: Currencies and the UTC days of amounts in them.

        Raises:
            CostsError: With every pair of currencies that lacks a day, and its days.
        """
        missing: dict[str, set[date]] = defaultdict(set)
        for currency, day in needed:
            if not self.knows(currency, day):
                missing[currency].add(day)
        if missing:
            raise CostsError([self._lacking(each, missing[each]) for each in sorted(missing)])

    def in_books(self, amount: Fraction, currency: str, day: date) -> Fraction:
        """An amount of a UTC day in the currency of the books, exactly.

        Raises:
            CostsError: No rate holds.
        """
        if currency == self.currency:
            return amount
        return amount * Fraction(self._needed(currency, day).rate)

    def converted(self, rate: Rate, day: date) -> Rate:
        """A price of a UTC day in the currency of the books, exactly; it remembers the other.

        Raises:
            CostsError: No rate holds.
        """
        if rate.currency == self.currency:
            return rate
        row = self._needed(rate.currency, day)
        before = Exchange(
            currency=rate.currency, unit_price=rate.unit_price, rate=row.rate, source=row.source
        )
        price = EXACT.multiply(rate.unit_price, row.rate)
        return msgspec.structs.replace(
            rate, unit_price=price, currency=self.currency, exchange=before
        )

    def _needed(self, currency: str, day: date) -> ExchangeRow:
        row = self._row(currency, day)
        if row is None:
            raise CostsError([self._lacking(currency, {day})])
        return row

    def _row(self, currency: str, day: date) -> ExchangeRow | None:
        key = (currency, day)
        if key not in self._found:
            holding = (row for row in self._rows.get(currency, ()) if row.holds_on(day))
            self._found[key] = next(holding, None)
        return self._found[key]

    def _lacking(self, currency: str, days: set[date]) -> str:
        return (
            f"no exchange rate from {currency} to {self.currency} on {in_words(sorted(days))};"
            f' add [[fx]] rows with from = "{currency}" and to = "{self.currency}"'
        )


def exchange_clashes(rows: Iterable[ExchangeRow]) -> list[str]:
    """Which rows give one pair of currencies two rates on one day."""
    return [
        f"{b.place}: overlaps {a.place}: {b.from_currency} in {b.to_currency} has two rates from"
        f" {since}; a new rate needs effective_to in the old row"
        for a, b, since in same_twice(((row.from_currency, row.to_currency), row) for row in rows)
    ]

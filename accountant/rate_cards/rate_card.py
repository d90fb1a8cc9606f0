"""The rate card: dated prices, and which one holds for a SKU's meter on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import combinations
from typing import Final, Protocol

import msgspec

from accountant.errors import RateCardError
from accountant.rate_cards.price_rules import PriceRule, PriceRules, rule_clashes
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

# What a rate may ask of a SKU beside its model; the more it asks, the more specific it is.
MATCH_FIELDS: Final = (
    "model_version",
    "deployment_type",
    "scope",
    "region",
    "service_tier",
    "prompt_band",
    "provenance",
)
# A response that names no tier was served by this one.
DEFAULT_TIER: Final = "default"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What a price was before it was converted.

    Args:
        currency: ISO 4217, that of the card.
        unit_price: The price in it.
        rate: What one unit of it is in the currency of the books.
        source: Where the rate is from.
    """

    currency: str
    unit_price: Decimal
    rate: Decimal
    source: str


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """One dated price of one meter of a model.

    Args:
        model: The model it prices; the match fields narrow it, None matches anything.
        meter: A token leaf, or a unit of the event.
        unit_price: What `per` units cost, in `currency`.
        per: A power of ten.
        currency: ISO 4217.
        effective_from: The first UTC day it holds.
        effective_to: The first UTC day it no longer holds; None is open.
        source: Where the price is from.
        checked_on: When someone last looked there.
        place: File and row, for messages.
        exchange: What it was converted from; None: it is in the card's own currency.
    """

    model: str
    meter: str
    unit_price: Decimal
    per: int
    currency: str
    effective_from: date
    effective_to: date | None = None
    model_version: str | None = None
    deployment_type: str | None = None
    scope: str | None = None
    region: str | None = None
    service_tier: str | None = None
    prompt_band: str | None = None
    provenance: str | None = None
    source: str = ""
    checked_on: date | None = None
    place: str = "rate"
    exchange: Exchange | None = None

    def match(self) -> dict[str, str]:
        """The match fields that it sets."""
        values = {field: getattr(self, field) for field in MATCH_FIELDS}
        return {field: value for field, value in values.items() if value is not None}

    def holds_on(self, day: date) -> bool:
        """Whether the UTC day is one of its days."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


class Conversion(Protocol):
    """Converts prices to the currency of the books, by the rate of a day."""

    @property
    def currency(self) -> str:
        """ISO 4217, that of the books."""
        ...

    def converted(self, rate: Rate, day: date) -> Rate:
        """The rate of a UTC day in the currency of the books."""
        ...


class RateCard:
    """The rates of one currency, none of which contradicts another.

    Args:
        rates: In any order.
        rules: Discounts and mark-ups on top of them, in any order.
        conversion: To the currency of the books; None: they are in the card's.

    Raises:
        RateCardError: There is no rate, there are two currencies, or two rates (or rules of a
            kind) that are equally specific can hold for the same usage on the same day.

    Attributes:
        currency: ISO 4217, that of the books.
        version: A digest of all rows, which statements name.
    """

    def __init__(
        self,
        rates: Sequence[Rate],
        rules: Sequence[PriceRule] = (),
        conversion: Conversion | None = None,
    ) -> None:
        problems = [*contradictions(rates), *rule_clashes(rules)]
        if problems:
            raise RateCardError(problems)
        self.currency: Final = conversion.currency if conversion else rates[0].currency
        self.version: Final = _version(rates, rules)
        self.rules: Final = PriceRules(rules)
        self._all = tuple(rates)
        self._conversion = conversion
        self._rates = {
            key: sorted(group, key=lambda rate: -len(rate.match()))
            for key, group in _by_meter(rates).items()
        }
        self._found: dict[tuple[Sku, str, date], Rate | None] = {}

    def converted(self, conversion: Conversion) -> RateCard:
        """The same card for books in another currency."""
        return RateCard(self._all, self.rules.rules, conversion)

    def starts_in(self, period: Month) -> list[str]:
        """The month's first UTC day, and every later one of it from which any price is another."""
        if self._conversion:
            return period.days()  # any of which may have an exchange rate of its own
        dated = (*self._all, *self.rules.rules)
        changes = {day for each in dated for day in (each.effective_from, each.effective_to) if day}
        first, end = period.start.date(), period.end.date()
        return [str(day) for day in sorted({first, *(day for day in changes if first < day < end)})]

    def rate_for(self, sku: Sku, meter: str, day: date) -> Rate | None:
        """The most specific rate that holds, or None: such usage is unpriced, never free.

        Args:
            sku: What was consumed.
            meter: The leaf or unit.
            day: The UTC day of the usage.
        """
        key = (sku, meter, day)
        if key not in self._found:
            candidates = self._rates.get((sku.model, meter), [])
            fits = (rate for rate in candidates if rate.holds_on(day) and _agrees(rate, sku))
            found = next(fits, None)
            if found and self._conversion:
                found = self._conversion.converted(found, day)
            self._found[key] = found
        return self._found[key]


def _version(rates: Sequence[Rate], rules: Sequence[PriceRule]) -> str:
    """A digest of all that the rows say, wherever they stand; where they were read is no part."""
    told = sorted(msgspec.json.encode((type(row).__name__, _said(row))) for row in (*rates, *rules))
    return sha256(b"\n".join(told)).hexdigest()[:12]


def _said(row: Rate | PriceRule) -> dict[str, object]:
    """What a row states: so a card keeps its version when rows can say more."""
    said = msgspec.structs.asdict(row).items()
    unsaid = {"place", "exchange"}
    return {name: value for name, value in said if name not in unsaid and value not in {None, ""}}


def matched_values(sku: Sku) -> dict[str, str | None]:
    """What a rate must say to price this SKU: the model and every match field."""
    values = {field: getattr(sku, field) for field in MATCH_FIELDS}
    return {"model": sku.model, **values, "service_tier": sku.service_tier or DEFAULT_TIER}


def contradictions(rates: Sequence[Rate]) -> list[str]:
    """Why these rates are no card; empty if they are one."""
    if not rates:
        return ["there is no rate: a card needs at least one [[rate]]"]
    currencies = sorted({rate.currency for rate in rates})
    problems = [
        f"{', '.join(currencies)}: a card has one currency; keep one directory for each"
    ] * (len(currencies) > 1)
    for group in _by_meter(rates).values():
        problems += [_clash(a, b) for a, b in combinations(group, 2) if _clashes(a, b)]
    return problems


def _by_meter(rates: Iterable[Rate]) -> dict[tuple[str | None, str], list[Rate]]:
    groups: dict[tuple[str | None, str], list[Rate]] = defaultdict(list)
    for rate in rates:
        groups[rate.model, rate.meter].append(rate)
    return groups


def _agrees(rate: Rate, sku: Sku) -> bool:
    values = matched_values(sku)
    return all(values[field] == value for field, value in rate.match().items())


def _clashes(a: Rate, b: Rate) -> bool:
    """Whether both can hold for one usage, with nothing to choose between them."""
    if a.holds_on(b.effective_from) or b.holds_on(a.effective_from):
        one, other = a.match(), b.match()
        shared = one.keys() & other.keys()
        return len(one) == len(other) and all(one[field] == other[field] for field in shared)
    return False


def _clash(a: Rate, b: Rate) -> str:
    since = max(a.effective_from, b.effective_from)
    if a.match() == b.match():
        advice = "a new price needs effective_to in the old row"
    else:
        only = sorted(a.match().keys() ^ b.match().keys())
        advice = f"neither is more specific; set {' and '.join(only)} in both, or in one"
    return (
        f"{b.place}: overlaps {a.place}: both price {b.meter} of {b.model} from {since}; {advice}"
    )

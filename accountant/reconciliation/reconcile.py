"""Compares the ledger with one source, line by line. Pure: sides in, reconciliation out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from accountant.reconciliation.causes import Evidence, difference
from accountant.reconciliation.differences import Line, line_of
from accountant.reconciliation.items import REQUESTS, Day, Item, Source, Target, item_order
from accountant.reconciliation.sides import Apart, Booked, LedgerSide, Provided, ProviderSide
from accountant.reconciliation.time_shift import DayBalance, shifted

# How long after a day the provider may add to it.
SETTLES_IN: Final[dict[Source, timedelta]] = {
    "metrics": timedelta(hours=3),
    "log": timedelta(hours=3),
    "invoice": timedelta(hours=72),
}


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How two sides are compared.

    Args:
        now: The time, UTC.
        tolerance: Which part of the provider's count may remain unexplained on a line, as 0.01.
    """

    now: datetime
    tolerance: Decimal = Decimal(0)


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger against one source.

    Args:
        source: Which kind it is.
        of: The files or services it is from.
        currency: Of its amounts; None compares no money.
        settled_until: The first UTC day to which the provider may still add.
        lines: By day and item, in one stable order.
        ledger_apart: What the ledger has that is not compared.
        provider_apart: The same of the provider.
        silent: Meters that the source does not tell, which are in no line.
        strangers: Resources that the provider has and the ledger has no backend for.
        backends: Those that the ledger has.
    """

    source: Source
    of: tuple[str, ...]
    currency: str | None
    settled_until: date
    lines: tuple[Line, ...]
    ledger_apart: tuple[Apart, ...]
    provider_apart: tuple[Apart, ...]
    silent: tuple[str, ...]
    strangers: tuple[str, ...]
    backends: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing is unexplained."""
        return all(line.status != "unexplained" for line in self.lines)

    @property
    def settled(self) -> list[Line]:
        """The lines that count."""
        return [line for line in self.lines if line.status != "unsettled"]


def reconcile(ledger: LedgerSide, provider: ProviderSide, terms: Terms) -> Reconciliation:
    """Compare everything that either side has.

    Args:
        ledger: The ledger's side, told as this source tells it.
        provider: The source's side.
        terms: How to compare.
    """
    settled_until = _settled_until(provider.source, terms.now)
    comparison = _Comparison(ledger, provider, settled_until)
    return Reconciliation(
        source=provider.source,
        of=provider.of,
        currency=provider.currency,
        settled_until=settled_until,
        lines=tuple(
            line_of(
                day,
                comparison.evidence(day, item),
                tolerance=terms.tolerance,
                money=provider.currency is not None,
                settled=day < settled_until,
            )
            for day, item in comparison.keys
        ),
        ledger_apart=ledger.apart,
        provider_apart=provider.apart,
        silent=tuple(sorted(provider.silent)),
        strangers=_only(provider.counts, ledger),
        backends=tuple(sorted(_backends(_used(ledger)))),
    )


def _settled_until(source: Source, now: datetime) -> date:
    """The first day that is not over for as long as the source needs."""
    return (now.astimezone(UTC) - SETTLES_IN[source]).date()


class _Comparison:
    """Both sides, and what is known of each line from the others."""

    def __init__(self, ledger: LedgerSide, provider: ProviderSide, settled_until: date) -> None:
        self._ledger, self._provider = ledger, provider
        self._sees_direct_calls = provider.source != "log"  # what the gateway logs, it has seen
        booked = {key for key in ledger.counts if key[1].meter not in provider.silent}
        provided = {key for key, each in provider.counts.items() if each.quantity or each.amount}
        self.keys = sorted(booked | provided, key=lambda key: (key[0], item_order(key[1])))
        self._known: set[Target] = {item.target for _, item in _used(ledger)}
        self._per_request = _per_request(ledger.counts)
        self._shifted = self._all_shifted(settled_until)

    def evidence(self, day: date, item: Item) -> Evidence:
        return Evidence(
            item=item,
            provided=self._provider.counts.get((day, item)),
            booked=self._ledger.counts.get((day, item)),
            shifted=self._shifted.get((day, item), 0),
            is_direct=self._is_direct(item),
            uncounted=self._ledger.uncounted.get((day, item.place), 0),
            estimated=self._ledger.estimated.get((day, item.place), 0),
            per_request=self._per_request.get(item),
        )

    def _is_direct(self, item: Item) -> bool:
        """Whether nobody's calls through the gateway can be what the provider has of it.

        A meter that is not understood names no model, so it may be what a backend served for us.
        """
        if not self._sees_direct_calls or item.target in self._known:
            return False
        understood = item.deployment is not None or item.model is not None
        return understood or all(backend != item.backend for backend, _, _ in self._known)

    def _all_shifted(self, settled_until: date) -> dict[Day, int]:
        days: defaultdict[Item, dict[date, DayBalance]] = defaultdict(dict)
        for day, item in self.keys:
            if day < settled_until:
                days[item][day] = self._balance(day, item)
        return {
            (day, item): moved
            for item, balances in days.items()
            for day, moved in shifted(balances).items()
        }

    def _balance(self, day: date, item: Item) -> DayBalance:
        booked = self._ledger.counts.get((day, item), Booked())
        differs = difference(self._provider.counts.get((day, item)), booked)
        return DayBalance(differs, booked.first_hour, booked.last_hour)


def _used(ledger: LedgerSide) -> Iterable[Day]:
    return (*ledger.counts, *ledger.uncounted)


def _per_request(counts: Mapping[Day, Booked]) -> dict[Item, int]:
    """What a request uses of each item on average in the month, rounded up."""
    quantities: defaultdict[Item, int] = defaultdict(int)
    requests: defaultdict[Item, int] = defaultdict(int)
    for (_, item), booked in counts.items():
        quantities[item] += booked.quantity
        requests[item] += booked.requests
    return {
        item: -(-quantities[item] // count)
        for item, count in requests.items()
        if count and item.meter != REQUESTS
    }


def _backends(keys: Iterable[Day]) -> set[str]:
    return {item.backend for _, item in keys if item.backend is not None}


def _only(counts: Mapping[Day, Provided], ledger: LedgerSide) -> tuple[str, ...]:
    return tuple(sorted(_backends(counts) - _backends(_used(ledger))))

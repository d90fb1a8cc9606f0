"""The ledger's month as a source tells it: counts from its cells, money from charges."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from accountant.charges import Charge, Uncharged
from accountant.lines import UNCOUNTED
from accountant.meters import TOKEN_METERS, unit_of
from accountant.money import EXACT, ZERO
from accountant.rating import day_of_cell, priced_meters
from accountant.reconciliation.items import REQUESTS, Day, Folding, Item
from accountant.reconciliation.sides import Apart, ApartKind, Booked, LedgerSide
from tollgate.ledger.cells import MoneyCell

_FIRST, _LAST = "T00", "T23"
_Owed = dict[tuple[Item, str], Decimal]  # by place and meter, and tenant


class LedgerReading:
    """Adds up cells, and then charges, as one source tells them.

    Args:
        folding: How the source tells them.
    """

    def __init__(self, folding: Folding) -> None:
        self._folding = folding
        self._counts: defaultdict[Day, Booked] = defaultdict(Booked)
        self._uncounted = Counter[Day]()
        self._estimated = Counter[Day]()
        self._apart = Counter[tuple[ApartKind, str]]()
        self._rows = Counter[tuple[ApartKind, str]]()
        self._charged_apart = ZERO
        self.owed: _Owed = {}

    def add_cell(self, cell: MoneyCell) -> None:
        """Add what was used."""
        place = self._folding.place(cell.sku)
        if cell.sku.provenance == "none":
            self._leave("refused_or_cached", "request", cell.usage.requests)
        elif place is None:
            for leaf, used in priced_meters(cell.usage).items():
                self._leave("provisioned", unit_of(leaf), used.quantity)
        else:
            self._add(cell, place)

    def add_charges(self, charges: Iterable[Charge | Uncharged]) -> None:
        """Add what it costs, of the same cells; other charges stand apart."""
        for each in charges:
            consumed = each.consumed
            if isinstance(each, Charge) and each.metered is None:
                self._charged_apart = EXACT.add(self._charged_apart, each.amount)
            elif consumed is not None and consumed.meter in TOKEN_METERS:
                place = self._folding.place(consumed.sku)
                if place is not None:
                    self._price(each, consumed.quantity, consumed.meter, place)
                elif isinstance(each, Charge):
                    self._charged_apart = EXACT.add(self._charged_apart, each.amount)

    def side(self, currency: str | None = None) -> LedgerSide:
        """All that was added.

        Args:
            currency: Of the charges, if there are any.
        """
        apart = [
            Apart(kind=kind, what=_WORDS[kind], rows=rows, unit=unit, quantity=Decimal(quantity))
            for (kind, unit), rows in sorted(self._rows.items())
            if (quantity := self._apart[kind, unit])
        ]
        if self._charged_apart:
            kind: ApartKind = "other_charges"
            amount, what = self._charged_apart, _WORDS[kind]
            apart.append(Apart(kind=kind, what=what, rows=1, amount=amount, currency=currency))
        return LedgerSide(
            counts=dict(self._counts),
            uncounted=self._uncounted,
            estimated=self._estimated,
            apart=tuple(apart),
        )

    def _add(self, cell: MoneyCell, place: Item) -> None:
        day, requests = day_of_cell(cell), cell.usage.requests
        if cell.sku.provenance in UNCOUNTED:
            self._uncounted[day, place] += requests
        if cell.sku.provenance == "estimated":
            self._estimated[day, place] += requests
        if self._folding.has_requests:
            self._count(cell, msgspec.structs.replace(place, meter=REQUESTS), requests)
        used: dict[Item, int] = {}
        for leaf, meter in priced_meters(cell.usage).items():
            if leaf not in TOKEN_METERS:
                self._leave("other_units", unit_of(leaf), meter.quantity)
            elif meter.quantity:
                item = msgspec.structs.replace(place, meter=self._folding.meter(leaf))
                self._count(cell, item, meter.quantity, audio="audio" in leaf)
                used[item] = max(used.get(item, 0), meter.requests)
        for item, requested in used.items():
            self._counts[day, item].requests += requested

    def _count(self, cell: MoneyCell, item: Item, quantity: int, *, audio: bool = False) -> None:
        booked = self._counts[day_of_cell(cell), item]
        booked.quantity += quantity
        booked.audio += quantity * audio
        booked.estimated += quantity * (cell.sku.provenance == "estimated")
        booked.first_hour += quantity * cell.hour.endswith(_FIRST)
        booked.last_hour += quantity * cell.hour.endswith(_LAST)

    def _price(self, each: Charge | Uncharged, quantity: int, leaf: str, place: Item) -> None:
        item = msgspec.structs.replace(place, meter=self._folding.meter(leaf))
        booked = self._counts[each.start, item]
        booked.amount = booked.amount or ZERO
        if isinstance(each, Uncharged):
            booked.unpriced += quantity
        else:
            booked.amount = EXACT.add(booked.amount, each.amount)
            owed = self.owed.get((item, each.tenant), ZERO)
            self.owed[item, each.tenant] = EXACT.add(owed, each.amount)

    def _leave(self, kind: ApartKind, unit: str, quantity: int) -> None:
        self._apart[kind, unit] += quantity
        self._rows[kind, unit] += 1


_WORDS: dict[ApartKind, str] = {
    "refused_or_cached": "requests that no deployment answered with tokens: refused, failed, or "
    "answered from the cache",
    "provisioned": "used of provisioned throughput, which is billed by the hour",
    "other_units": "metered otherwise than by tokens",
    "other_charges": "charges beside usage: parts of fixed costs, corrections, rounding",
}

"""Reads a closed month from the books, as `ChargeReader` reads an open one from the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from accountant.charges import Charge, Price, Uncharged
from accountant.closing.books import Books
from accountant.closing.seals import Sealed
from accountant.commands.charge_reader import Asked, ChargeReader
from accountant.commands.drafts import open_drafts
from accountant.edition import DRAFT, Edition
from accountant.errors import NoSuchTenant
from accountant.labels import shown
from accountant.rate_cards.rate_card import Rate
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

if TYPE_CHECKING:
    from accountant.costs.cost_centres import CostCentres
    from accountant.reports.report import Report


class ClosedReader(ChargeReader):
    """A closed month's charges, which never change; neither ledger nor rates are asked.

    What a waiver let pass is said, and is no reason for an exit code. By user there is nothing
    in the books, so a report by user is drawn up from the ledger as it is now.

    Args:
        books: Where it is.
        sealed: The month.
        asked: What was typed.

    Raises:
        NoSuchTenant: The month has no statement for the tenant.
    """

    def __init__(self, books: Books, sealed: Sealed, asked: Asked) -> None:
        seal, tenant = sealed.seal, asked.tenant
        if tenant is not None and tenant not in seal.numbers:
            raise NoSuchTenant(f"no statement of {tenant!r} in {seal.month}, which is closed")
        self.month = Month.parse(seal.month)
        self.currency = seal.currency
        self.tenants = {}
        self.unpriced = 0
        self.uncounted = 0
        self.entries = {}
        self.cost_centres = _centres(seal.cost_centres)
        self.remarks = []
        self.requests = Counter(
            {(name, kind): count for name, kind, count in seal.requests if tenant in {None, name}}
        )
        self._listed: dict[tuple[Sku, str, date], Price] | None = None
        self._books = books
        self._sealed = sealed
        self._asked = asked

    @property
    def edition(self) -> Edition:
        """Which state of the month's books it is; of one tenant, what concerns this one."""
        tenant, whole = self._asked.tenant, self._books.edition(self._sealed)
        return whole if tenant is None else whole.of(tenant)

    def list_rate(self, sku: Sku, meter: str, day: date) -> Rate | None:
        """The public price that a SKU's meter was closed with on a day; None: it had no use."""
        if self._listed is None:
            self._listed = _list_prices(self._books.charges(self._sealed.seal))
        price = self._listed.get((sku, meter, day))
        return price and Rate(
            model=sku.model or "",
            meter=meter,
            unit_price=price.listed,
            per=price.per,
            currency=self.currency,
            effective_from=day,
            exchange=price.exchange,
        )

    def read(self) -> Iterator[Charge | Uncharged]:
        """What was closed, in its order."""
        for each in self._books.charges(self._sealed.seal):
            if self._asked.tenant in {None, each.tenant}:
                self.tenants[each.tenant] = None
                yield each

    def read_by_user(self) -> Iterator[Charge | Uncharged]:
        """The ledger's usage by user as it is now, and what else was closed."""
        with open_drafts(self._asked) as drafts:
            live = drafts.plain(self.month)
            live.entries.clear()
            for each in self.read():
                if isinstance(each, Charge) and not each.metered and each.category != "Rounding":
                    live.entries.setdefault(each.tenant, []).append(each)
            yield from live.read_by_user()

    def read_for_report(self, by: Sequence[str]) -> Iterator[Charge | Uncharged]:
        """The same: what was closed is by day."""
        return self.read_by_user() if "user" in by else self.read()

    def report(self, by: Sequence[str]) -> Report:
        """The charges grouped; by user, it is a draft unless every statement is as it was closed.

        Args:
            by: Some of `accountant.reports.report.GROUPS`.
        """
        report = super().report(by)
        if "user" not in by:
            return report
        told = f"{self.month} is closed; by user it is read from the ledger as it is now"
        closed = {each.tenant: each.total for each in self._sealed.seal.statements}
        differ = [each for each in report.statements if each.total != closed.get(each.tenant)]
        if not differ:
            self.remarks.append(f"{told}, and adds up to what was closed")
            return report
        self.remarks.append(f"{told}, and so it is a draft:")
        self.remarks += [
            f"{shown(each.tenant)}: {each.total} by user, {closed.get(each.tenant, 0)} as closed"
            for each in differ
        ]
        return msgspec.structs.replace(report, edition=DRAFT)

    def kept_aside(self) -> list[str]:
        """What is to be said of the books: what was let pass, and what by user differs."""
        let_pass = [
            shown(f"let pass at the close by {each.by}: {each.what}: {each.reason}")
            for each in self.edition.waivers
        ]
        return [*let_pass, *self.remarks]


def _list_prices(charges: Iterable[Charge | Uncharged]) -> dict[tuple[Sku, str, date], Price]:
    metered = ((each, each.metered) for each in charges if isinstance(each, Charge))
    return {
        (found[0].sku, found[0].meter, each.start): found[1] for each, found in metered if found
    }


def _centres(rows: list[dict[str, str]] | None) -> CostCentres | None:
    from accountant.costs.cost_centres import CostCentreRow, CostCentres  # noqa: PLC0415  seldom

    return None if rows is None else CostCentres(map(CostCentreRow.model_validate, rows))

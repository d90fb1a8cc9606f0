"""Opens months as they would be closed now, for what is open, and for what corrects closed ones."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from accountant.closing.books import Books
from accountant.closing.open_corrections import OpenCorrections, open_corrections
from accountant.closing.watched_ledger import WatchedLedger
from accountant.commands.charge_reader import Asked, ChargeReader
from accountant.commands.problems import read_books, say
from accountant.commands.progress import Show, bar, show_nothing
from accountant.commands.sources import open_card, open_costs, open_ledger
from accountant.kept_aside import Ledger
from accountant.rate_cards.rate_card import RateCard
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.costs.cost_files import Costs  # seldom needed, and slow to import


class Drafts:
    """Months as the ledger has them now.

    Args:
        ledger: Where their usage is.
        card: The rates.
        costs: Fixed costs and who pays; None: there are none.
        tenant: Only this tenant's; None is everyone's.
        show: Told how many tenants are read.
    """

    def __init__(
        self,
        ledger: Ledger,
        card: RateCard,
        costs: Costs | None = None,
        tenant: str | None = None,
        show: Show = show_nothing,
    ) -> None:
        self._show = show
        self._ledger = ledger
        self._card = card
        self._costs = costs
        self._tenant = tenant

    def plain(self, month: Month) -> ChargeReader:
        """A month without what corrects others."""
        return self._draft(month, self._ledger, self._tenant)

    def corrected(self, month: Month, books: Books | None) -> ChargeReader:
        """A month; if it is the first open one of the books, with what corrects closed ones.

        Raises:
            BooksError: The closed months cannot be used.
            NoSuchTenant: The ledger has never seen the tenant, and it was never billed.
        """
        billed = {name for each in books.sealed for name in each.seal.numbers} if books else ()
        reader = self._draft(month, self._ledger, self._tenant, billed)
        following = books.open_month if books else None
        if books and month == following:
            self.correct(reader, books, WatchedLedger(self._ledger))
        elif following and month > following:
            reader.remarks.append(
                f"corrections of closed months are not here: they stand on the statements of"
                f" {following}, the first month that is open"
            )
        return reader

    def correct(self, reader: ChargeReader, books: Books, ledger: WatchedLedger) -> OpenCorrections:
        """Add what corrects closed months to what is owed.

        Args:
            reader: Of the first open month.
            books: The closed ones.
            ledger: The one that is read for it.
        """
        found = open_corrections(
            books, ledger, reader, lambda month: self._draft(month, ledger, None), self._tenant
        )
        for tenant, rows in found.rows.items():
            reader.entries.setdefault(tenant, []).extend(rows)
        return found

    def _draft(
        self, month: Month, ledger: Ledger, tenant: str | None, billed: Collection[str] = ()
    ) -> ChargeReader:
        books = None
        if self._costs is not None:
            from accountant.costs.month_books import month_books  # noqa: PLC0415  seldom needed

            books = month_books(self._costs, month, ledger, self._card)
        reader = ChargeReader(month, ledger, self._card, tenant, books, billed=billed)
        reader.show = self._show
        return reader


@contextmanager
def open_drafts(asked: Asked) -> Generator[Drafts]:
    """The ledger and the rates.

    Raises:
        CostsError: The costs cannot be used.
        RateCardError: The rates cannot be used.
        SettingsError: There is no URL, or it is none.
    """
    card, costs = open_card(asked.rates), open_costs(asked.costs, asked.currency)
    with open_ledger(asked.redis_url) as ledger, bar() as show:
        yield Drafts(ledger, card, costs, asked.tenant, show)


def open_books(folder: Path | None) -> Books | None:
    """The closed months; None: nobody said where they are.

    Raises:
        BooksError: They cannot be used.
    """
    where = read_books(folder)
    if where and not where.is_dir():
        say(f"there are no books at {where} yet, so no month is closed")
    return Books(where) if where else None

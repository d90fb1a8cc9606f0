"""Reads a month's charges from the ledger, for the commands that export them."""

# Only --help must be quick, so what reading needs is imported when something is read.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from accountant.commands import completion
from accountant.commands.problems import ANSWER_IS_NO, read_month, say, told_problems
from accountant.commands.progress import Show, show_nothing
from accountant.edition import Edition
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

if TYPE_CHECKING:
    from accountant.charges import Charge, Uncharged
    from accountant.costs.month_books import MonthBooks
    from accountant.kept_aside import Ledger, SummedLedger
    from accountant.rate_cards.rate_card import Rate, RateCard
    from accountant.reports.report import Report
    from tollgate.ledger.cell_sums import CellSum

Period = Annotated[
    str,
    typer.Argument(
        metavar="MONTH", help="A month in UTC, as 2026-10.", autocompletion=completion.months
    ),
]
Rates = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Rate card (TOML, CSV) or directory. Default: list prices."),
]
FixedCosts = Annotated[
    Path | None,
    typer.Option(
        "--costs",
        metavar="PATH",
        help="Fixed costs, splits, reassignments, exchange rates (TOML, CSV) or directory.",
    ),
]
BooksCurrency = Annotated[
    str | None,
    typer.Option(
        "--currency", metavar="CODE", help="Currency of the books. Default: the rate card's."
    ),
]
RedisUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The ledger. Default: $TOLLGATE_REDIS_URL.")
]
BooksFolder = Annotated[
    Path | None,
    typer.Option("--books", metavar="DIR", help="Closed months. Default: $TOLLGATE_BOOKS."),
]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which month's books, as typed.

    Args:
        period: The month; empty where several are read, which are named there.
        tenant: Only this tenant's; None is everyone's.
        rates: The rate card's path; None is the list prices that are shipped.
        redis_url: The ledger; None is the environment's.
        costs: Fixed costs and who pays; None: there are none, and usage stays where it is.
        currency: ISO 4217, that of the books; None is that of the costs, or of the card.
        books: Where closed months are; None is the environment's, and then none at all.
    """

    period: str = ""
    tenant: str | None = None
    rates: Path | None = None
    redis_url: str | None = None
    costs: Path | None = None
    currency: str | None = None
    books: Path | None = None


class ChargeReader:
    """A month's charges, and who and what was seen while they were read.

    Args:
        month: The month.
        ledger: Where its usage is.
        card: The rates.
        tenant: Only this tenant's charges; None is everyone's.
        books: What fixed costs make of the month; its ledger and its card are read instead.
        billed: Tenants that were billed, whatever the ledger still knows of them.

    Attributes:
        show: Told how many tenants are read.
        entries: What each tenant owes beside its usage.
        cost_centres: Where it is posted; None: no costs say so.
        remarks: What is to be said of the books, in words.

    Raises:
        NoSuchTenant: The ledger has never seen the tenant, and it was never billed.
    """

    show: Show = staticmethod(show_nothing)

    def __init__(  # noqa: PLR0913  what it reads, and of whom
        self,
        month: Month,
        ledger: Ledger,
        card: RateCard,
        tenant: str | None = None,
        books: MonthBooks | None = None,
        *,
        billed: Collection[str] = (),
    ) -> None:
        from accountant.errors import NoSuchTenant

        self._ledger: Ledger = books.ledger if books else ledger
        self._card = books.card if books else card
        self._known = self._ledger.tenants()
        if tenant is not None and tenant not in {*self._known, *billed}:
            raise NoSuchTenant(f"no tenant {tenant!r} in the ledger")
        self.month = month
        self.currency = self._card.currency
        self.tenants: dict[str, None] = {}
        self.unpriced = 0
        self.uncounted = 0
        self.requests = Counter[tuple[str, str]]()
        owed = books.entries if books else {}
        self.entries: dict[str, list[Charge | Uncharged]] = {
            name: [*owed[name]] for name in owed if tenant in {None, name}
        }
        self.remarks: list[str] = []
        self.cost_centres = books.cost_centres if books else None
        self._books = books
        self._tenant = tenant

    @property
    def edition(self) -> Edition:
        """Which state of the month's books it is."""
        costs = self._books.version if self._books else None
        return Edition(rate_card=self._card.version, costs=costs)

    def list_rate(self, sku: Sku, meter: str, day: date) -> Rate | None:
        """The public price of a SKU's meter on a day, in the currency of the books."""
        return self._card.rate_for(sku, meter, day)

    def read(self) -> Iterator[Charge | Uncharged]:
        """The charges and what is in none, in their stable order."""
        return self._seen(self.month.days(), by_user=False)

    def read_by_user(self) -> Iterator[Charge | Uncharged]:
        """The same by user; what is not metered has none."""
        return self._seen(self.month.days(), by_user=True)

    def read_for_report(self, by: Sequence[str]) -> Iterator[Charge | Uncharged]:
        """The same usage in the fewest charges: all days of equal prices are one.

        Args:
            by: Some of `accountant.reports.report.GROUPS`.
        """
        return self._seen(self._card.starts_in(self.month), by_user="user" in by)

    def report(self, by: Sequence[str]) -> Report:
        """The charges grouped.

        Args:
            by: Some of `accountant.reports.report.GROUPS`.
        """
        from accountant.reports.report import MonthFacts, charge_report

        facts = MonthFacts(
            period=self.month,
            currency=self.currency,
            requests=self.requests,
            edition=self.edition,
        )
        return charge_report(facts, by, self.read_for_report(by))

    def kept_aside(self) -> list[str]:
        """What is to be said of the books, and what the ledger did not count of those seen."""
        from accountant.kept_aside import kept_aside_lines

        return [*self.remarks, *kept_aside_lines(self._ledger, self.tenants)]

    def notes(self) -> list[str]:
        """What is not in the charges, in words."""
        counts = {"unpriced": self.unpriced, "uncounted": self.uncounted}
        told = [f"{count:,} {kind}" for kind, count in counts.items() if count]
        lines = sum(counts.values())
        missing = f"{' and '.join(told)} line{'s' * (lines != 1)} of usage in no charge"
        return [*self.kept_aside(), *([missing] if told else [])]

    def _seen(self, starts: Sequence[str], *, by_user: bool) -> Iterator[Charge | Uncharged]:
        """The charges of the days from each start to the next, while it is noted what they are."""
        from accountant.charges import Uncharged
        from accountant.kept_aside import SummedLedger
        from accountant.usage_charges import Spans, charges_of_sums

        if isinstance(self._ledger, SummedLedger):
            sums = self._read(self._ledger, starts, by_user=by_user)
        else:
            sums = self._added_up(starts, by_user=by_user)
        spans = Spans(self.month, starts)
        for each in charges_of_sums(spans, sums, self._card, self.entries):
            self.tenants[each.tenant] = None
            if isinstance(each, Uncharged):
                self.unpriced += each.consumed is not None
                self.uncounted += each.consumed is None
            yield each

    def _read(
        self, ledger: SummedLedger, starts: Sequence[str], *, by_user: bool
    ) -> Iterator[CellSum]:
        """The sums that the ledger itself makes, a tenant at a time."""
        from accountant.usage_charges import counted

        read = ledger.user_sums if by_user else ledger.money_sums
        tenants = self._known if self._tenant is None else [self._tenant]
        for done, tenant in enumerate(tenants):
            self.show("tenants read", done, len(tenants))
            yield from counted(read(tenant, self.month, starts), self.requests)
        self.show("tenants read", len(tenants), len(tenants))

    def _added_up(self, starts: Sequence[str], *, by_user: bool) -> Iterator[CellSum]:
        """The sums of cells, of which costs may move some to who pays, and take some away."""
        from accountant.usage_charges import counted
        from tollgate.ledger.cell_sums import cell_sums

        read = self._ledger.user_cells if by_user else self._ledger.money_cells
        wanted = (cell for cell in read(self.month) if self._tenant in (None, cell.tenant))
        requested = counted(wanted, self.requests)
        left = map(self._books.by_token, requested) if self._books else requested
        return cell_sums(left, starts)


@contextmanager
def open_month(asked: Asked) -> Generator[ChargeReader]:
    """The books of a month, to read once: as it was closed, or as the ledger has it.

    Raises:
        BooksError: The closed months cannot be used.
        CostsError: The costs cannot be used, or lack an exchange rate.
        NoSuchTenant: The ledger, or the closed month, has never seen the tenant.
        RateCardError: The rates cannot be used.
        SettingsError: The month or the URL is none.
    """
    from accountant.commands.closed_reader import ClosedReader
    from accountant.commands.drafts import open_books, open_drafts

    month, books = read_month(asked.period), open_books(asked.books)
    if books and (sealed := books.closed(month)):
        yield ClosedReader(books, sealed, asked)
    else:
        with open_drafts(asked) as drafts:
            yield drafts.corrected(month, books)


@contextmanager
def month_read(asked: Asked) -> Generator[ChargeReader]:
    """A month to read charges of; at the end says what is not in them, and exits 1 if any is not.

    Args:
        asked: Which month's books.
    """
    with told_problems(), open_month(asked) as reader:
        yield reader
        notes = reader.notes()
    for line in notes:
        say(line)
    if not reader.tenants:
        say(f"no usage in {reader.month}")
    if not reader.tenants or reader.unpriced or reader.uncounted:
        raise typer.Exit(ANSWER_IS_NO)

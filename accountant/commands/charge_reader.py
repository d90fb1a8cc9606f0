"""Reads a month's charges from the ledger, for the commands that export them."""

# Only --help must be quick, so what reading needs is imported when something is read.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from accountant.commands import completion
from accountant.commands.problems import ANSWER_IS_NO, read_month, say, told_problems
from accountant.commands.progress import Show, progress_bar, show_nothing
from accountant.commands.sources import open_card, open_ledger
from accountant.edition import Edition
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.charges import Charge, Uncharged
    from accountant.rate_cards.rate_card import RateCard
    from accountant.reports.kept_aside import Ledger
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
RedisUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The ledger. Default: $TOLLGATE_REDIS_URL.")
]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which month's books, as typed.

    Args:
        period: The month.
        tenant: Only this tenant's; None is everyone's.
        rates: The rate card's path; None is the list prices that are shipped.
        redis_url: The ledger; None is the environment's.
    """

    period: str
    tenant: str | None = None
    rates: Path | None = None
    redis_url: str | None = None


class ChargeReader:
    """A month's charges, and who and what was seen while they were read.

    Args:
        month: The month.
        ledger: Where its usage is.
        card: The rates.
        tenant: Only this tenant's charges; None is everyone's.
        show: Told how many tenants are read.

    Attributes:
        entries: What each tenant owes beside its usage.

    Raises:
        NoSuchTenant: The ledger has never seen the tenant.
    """

    def __init__(
        self,
        month: Month,
        ledger: Ledger,
        card: RateCard,
        tenant: str | None = None,
        show: Show = show_nothing,
    ) -> None:
        from accountant.errors import NoSuchTenant

        known = ledger.tenants()
        if tenant is not None and tenant not in known:
            raise NoSuchTenant(f"no tenant {tenant!r} in the ledger")
        self.month = month
        self.currency = card.currency
        self.tenants: dict[str, None] = {}
        self.unpriced = 0
        self.uncounted = 0
        self.requests = Counter[tuple[str, str]]()
        self.entries: dict[str, list[Charge]] = {}
        self._ledger = ledger
        self._card = card
        self._tenants = known if tenant is None else [tenant]
        self._show = show

    @property
    def edition(self) -> Edition:
        """Which state of the month's books it is."""
        return Edition(rate_card=self._card.version)

    def read(self) -> Iterator[Charge | Uncharged]:
        """The charges and what is in none, in their stable order."""
        return self._charges(self._ledger.money_sums, self.month.days())

    def read_by_user(self) -> Iterator[Charge | Uncharged]:
        """The same by user; what is not metered has none."""
        return self._charges(self._ledger.user_sums, self.month.days())

    def report(self, by: Sequence[str]) -> Report:
        """The charges grouped.

        Args:
            by: Some of `accountant.reports.report.GROUPS`.
        """
        from accountant.reports.report import MonthFacts, charge_report

        read = self._ledger.user_sums if "user" in by else self._ledger.money_sums
        charges = self._charges(read, self._card.starts_in(self.month))
        facts = MonthFacts(
            period=self.month,
            currency=self.currency,
            requests=self.requests,
            edition=self.edition,
        )
        return charge_report(facts, by, charges)

    def kept_aside(self) -> list[str]:
        """What the ledger did not count of those who were seen, in words."""
        from accountant.reports.kept_aside import kept_aside_lines

        return list(kept_aside_lines(self._ledger, self.tenants))

    def notes(self) -> list[str]:
        """What is not in the charges, in words."""
        counts = {"unpriced": self.unpriced, "uncounted": self.uncounted}
        told = [f"{count:,} {kind}" for kind, count in counts.items() if count]
        lines = sum(counts.values())
        missing = f"{' and '.join(told)} line{'s' * (lines != 1)} of usage in no charge"
        return [*self.kept_aside(), *([missing] if told else [])]

    def _charges(
        self, read: Callable[[str, Month, Sequence[str]], Iterator[CellSum]], starts: Sequence[str]
    ) -> Iterator[Charge | Uncharged]:
        """Those of the days from each start to the next; no price may change in between."""
        from accountant.charges import Uncharged
        from accountant.usage_charges import Spans, charges_of_sums, counted

        sums = (each for tenant in self._shown() for each in read(tenant, self.month, starts))
        requested = counted(sums, self.requests)
        spans = Spans(self.month, starts)
        for each in charges_of_sums(spans, requested, self._card, self.entries):
            self.tenants[each.tenant] = None
            if isinstance(each, Uncharged):
                self.unpriced += each.consumed is not None
                self.uncounted += each.consumed is None
            yield each

    def _shown(self) -> Iterator[str]:
        """Each tenant to read, while it is shown how many are."""
        for done, tenant in enumerate(self._tenants):
            self._show("tenants read", done, len(self._tenants))
            yield tenant
        self._show("tenants read", len(self._tenants), len(self._tenants))


@contextmanager
def open_month(asked: Asked) -> Generator[ChargeReader]:
    """The books of a month, to read once.

    Raises:
        NoSuchTenant: The ledger has never seen the tenant.
        RateCardError: The rates cannot be used.
        SettingsError: The month or the URL is none.
    """
    month, card = read_month(asked.period), open_card(asked.rates)
    with open_ledger(asked.redis_url) as ledger, progress_bar() as show:
        yield ChargeReader(month, ledger, card, asked.tenant, show)


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

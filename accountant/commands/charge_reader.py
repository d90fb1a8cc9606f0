"""Reads a month's charges from the ledger, for the commands that export them."""

# Only --help must be quick, so what reading needs is imported when something is read.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.commands.problems import ANSWER_IS_NO, read_month, say, told_problems
from accountant.commands.sources import open_card, open_ledger
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.charges import Charge, Uncharged
    from accountant.rate_cards.rate_card import RateCard
    from accountant.reports.kept_aside import Ledger

Period = Annotated[str, typer.Argument(metavar="MONTH", help="A month in UTC, as 2026-10.")]
Rates = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Rate card (TOML, CSV) or directory. Default: list prices."),
]
RedisUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The ledger. Default: $TOLLGATE_REDIS_URL.")
]


class ChargeReader:
    """A month's charges, and who and what was seen while they were read.

    Args:
        month: The month.
        ledger: Where its usage is.
        card: The rates.
    """

    def __init__(self, month: Month, ledger: Ledger, card: RateCard) -> None:
        self.month = month
        self.currency = card.currency
        self.tenants: dict[str, None] = {}
        self.unpriced = 0
        self.uncounted = 0
        self._ledger = ledger
        self._card = card

    def read(self) -> Iterator[Charge | Uncharged]:
        """The charges and what is in none, in their stable order."""
        from accountant.charges import Uncharged, month_charges

        for each in month_charges(self.month, self._ledger.money_cells(self.month), self._card):
            self.tenants[each.tenant] = None
            if isinstance(each, Uncharged):
                self.unpriced += each.consumed is not None
                self.uncounted += each.consumed is None
            yield each

    def notes(self) -> list[str]:
        """What is not in the charges, in words."""
        from accountant.reports.kept_aside import kept_aside_lines

        counts = {"unpriced": self.unpriced, "uncounted": self.uncounted}
        told = [f"{count:,} {kind}" for kind, count in counts.items() if count]
        lines = sum(counts.values())
        missing = f"{' and '.join(told)} line{'s' * (lines != 1)} of usage in no charge"
        return [*kept_aside_lines(self._ledger, self.tenants), *([missing] if told else [])]


@contextmanager
def month_read(period: str, rates: Path | None, url: str | None) -> Generator[ChargeReader]:
    """A month to read charges of; at the end says what is not in them, and exits 1 if any is not.

    Args:
        period: The month as typed.
        rates: The rate card as typed.
        url: The ledger as typed.
    """
    with told_problems():
        month, card = read_month(period), open_card(rates)
        with open_ledger(url) as ledger:
            reader = ChargeReader(month, ledger, card)
            yield reader
            notes = reader.notes()
    for line in notes:
        say(line)
    if not reader.tenants:
        say(f"no usage in {month}")
    if not reader.tenants or reader.unpriced or reader.uncounted:
        raise typer.Exit(ANSWER_IS_NO)
